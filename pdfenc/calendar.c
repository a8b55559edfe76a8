#include "pdfenc/calendar.h"

#include <string.h>

#include "gateway/base/str.h"
#include "pdfenc/contentline.h"
#include "pdfenc/wording.h"

#define ATTENDEES_MAX 30u

struct moment {
	GDateTime *date;	/* NULL: none or not readable */
	char *zone;		/* "Europe/Berlin", "UTC", "" */
	bool day;		/* without time */
};

struct event {
	char *summary;
	char *location;
	char *organizer;
	char *description;
	char *repeats;
	char *status;
	GString *attendees;
	unsigned int attendee_count;
	struct moment start;
	struct moment end;
	GTimeSpan length;	/* DURATION; 0: none */
};

struct calendar {
	GString *card;
	char *method;
	struct event *event;	/* being read; NULL outside of one */
	unsigned int skip;	/* depth of parts inside the event (alarms) */
	unsigned int count;
};

/* ---- times ---- */

static int number(const char *at, size_t size)
{
	int value = 0;

	for (size_t i = 0; i < size; i++) {
		if (!g_ascii_isdigit(at[i]))
			return -1;
		value = value * 10 + (at[i] - '0');
	}
	return value;
}

static void read_moment(const struct contentline *line, struct moment *moment)
{
	const char *at = line->value;
	size_t size = strlen(at);
	bool day = size < 15 || at[8] != 'T';
	GTimeZone *utc;

	if (size < 8 || moment->zone != NULL)
		return;
	utc = g_time_zone_new_utc();
	/* the zone is only told, never used to count: its rules stand in the file */
	moment->date = g_date_time_new(utc, number(at, 4), number(at + 4, 2), number(at + 6, 2),
	    day ? 0 : number(at + 9, 2), day ? 0 : number(at + 11, 2), 0);
	g_time_zone_unref(utc);
	moment->day = day;
	moment->zone = contentline_parameter(line, "TZID");
	if (moment->zone == NULL)
		moment->zone = g_strdup(size > 15 && at[15] == 'Z' ? "UTC" : "");
}

/* RFC 5545 3.3.6: "P1DT2H30M". */
static GTimeSpan read_duration(const char *at)
{
	GTimeSpan sum = 0;
	GTimeSpan value = 0;

	for (; *at != '\0' && sum < 1000 * G_TIME_SPAN_DAY; at++) {
		if (g_ascii_isdigit(*at) && value < 1000000) {
			value = value * 10 + (*at - '0');
			continue;
		}
		sum += *at == 'W' ? value * 7 * G_TIME_SPAN_DAY : *at == 'D' ?
		    value * G_TIME_SPAN_DAY : *at == 'H' ? value * G_TIME_SPAN_HOUR : *at == 'M' ?
		    value * G_TIME_SPAN_MINUTE : 0;
		value = 0;
	}
	return sum;
}

static bool same_day(GDateTime *a, GDateTime *b)
{
	return g_date_time_get_year(a) == g_date_time_get_year(b) &&
	    g_date_time_get_day_of_year(a) == g_date_time_get_day_of_year(b);
}

/* " to 17:15", " to Friday, ...", or "". */
static char *end_line(const struct event *event)
{
	GDateTime *end = NULL;
	bool same;
	char *text;

	if (event->end.date != NULL)
		/* the end of whole days is the day after (RFC 5545 3.6.1) */
		end = g_date_time_add_days(event->end.date, event->end.day ? -1 : 0);
	else if (event->length > 0)
		end = g_date_time_add(event->start.date, event->length);
	if (end == NULL)
		return g_strdup("");
	same = same_day(event->start.date, end);
	if (event->start.day)
		text = same ? g_strdup("") : g_date_time_format(end, " to %A, %-d %B %Y");
	else
		text = g_date_time_format(end, same ? " to %H:%M" : " to %A, %-d %B %Y, %H:%M");
	g_date_time_unref(end);
	return text != NULL ? text : g_strdup("");
}

static char *when_line(const struct event *event)
{
	char *start;
	char *end;
	char *line;

	if (event->start.date == NULL)
		return NULL;
	start = g_date_time_format(event->start.date, event->start.day ? "%A, %-d %B %Y" :
	    "%A, %-d %B %Y, %H:%M");
	end = end_line(event);
	line = g_strdup_printf("%s%s%s%s%s", start != NULL ? start : "", end,
	    event->start.day || event->start.zone[0] == '\0' ? "" : " (",
	    event->start.day ? "" : event->start.zone,
	    event->start.day || event->start.zone[0] == '\0' ? "" : ")");
	g_free(start);
	g_free(end);
	return line;
}

/* ---- people, rules ---- */

/* "Name <mailbox>" of a CAL-ADDRESS. */
static char *person(const struct contentline *line)
{
	char *name = contentline_parameter(line, "CN");
	const char *address = str_starts_case(line->value, "mailto:") ? line->value + 7 :
	    line->value;
	char *text = name != NULL && !str_equal_case(name, address) ?
	    g_strdup_printf("%s <%s>", name, address) : g_strdup(address);

	g_free(name);
	return text;
}

static void add_attendee(struct event *event, const struct contentline *line)
{
	static const char *const answers[][2] = { { "ACCEPTED", " (accepted)" },
		{ "DECLINED", " (declined)" }, { "TENTATIVE", " (tentative)" } };
	char *text;
	char *answer;

	if (++event->attendee_count > ATTENDEES_MAX)
		return;
	text = person(line);
	answer = contentline_parameter(line, "PARTSTAT");
	g_string_append_printf(event->attendees, "%s%s", event->attendees->len > 0 ? ", " : "",
	    text);
	for (size_t i = 0; answer != NULL && i < G_N_ELEMENTS(answers); i++)
		if (str_equal_case(answer, answers[i][0]))
			g_string_append(event->attendees, answers[i][1]);
	g_free(answer);
	g_free(text);
}

/* The common rules in words, the others as they stand. */
static char *repeats_line(const char *rule)
{
	static const char *const words[][2] = { { "FREQ=DAILY", "every day" },
		{ "FREQ=WEEKLY", "every week" }, { "FREQ=MONTHLY", "every month" },
		{ "FREQ=YEARLY", "every year" } };

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		size_t size = strlen(words[i][0]);

		if (!str_equal_case_n(rule, words[i][0], size))
			continue;
		return rule[size] == '\0' ? g_strdup(words[i][1]) :
		    g_strdup_printf("%s (%s)", words[i][1], rule + size + 1);
	}
	return g_strdup(rule);
}

/* ---- events ---- */

static struct event *event_new(void)
{
	struct event *event = g_new0(struct event, 1);

	event->attendees = g_string_new(NULL);
	return event;
}

static void moment_clear(struct moment *moment)
{
	if (moment->date != NULL)
		g_date_time_unref(moment->date);
	g_free(moment->zone);
}

static void event_free(struct event *event)
{
	if (event == NULL)
		return;
	moment_clear(&event->start);
	moment_clear(&event->end);
	g_string_free(event->attendees, TRUE);
	g_free(event->summary);
	g_free(event->location);
	g_free(event->organizer);
	g_free(event->description);
	g_free(event->repeats);
	g_free(event->status);
	g_free(event);
}

static void put_event(struct calendar *calendar)
{
	struct event *event = calendar->event;
	char *when = when_line(event);

	if (event->attendee_count > ATTENDEES_MAX)
		g_string_append_printf(event->attendees, " and %u more",
		    event->attendee_count - ATTENDEES_MAX);
	contentline_put(calendar->card, "What", event->summary);
	contentline_put(calendar->card, "When", when);
	contentline_put(calendar->card, "Repeats", event->repeats);
	contentline_put(calendar->card, "Where", event->location);
	contentline_put(calendar->card, "Organizer", event->organizer);
	contentline_put(calendar->card, "Who", event->attendees->str);
	contentline_put(calendar->card, "Status", event->status);
	contentline_put(calendar->card, "Notes", event->description);
	g_free(when);
	calendar->count++;
}

static void set(char **slot, char *value)
{
	g_free(*slot);
	*slot = value;
}

static void read_property(struct event *event, const struct contentline *line)
{
	if (strcmp(line->name, "SUMMARY") == 0)
		set(&event->summary, contentline_text(line));
	else if (strcmp(line->name, "LOCATION") == 0)
		set(&event->location, contentline_text(line));
	else if (strcmp(line->name, "DESCRIPTION") == 0)
		set(&event->description, contentline_text(line));
	else if (strcmp(line->name, "STATUS") == 0)
		set(&event->status, g_ascii_strdown(line->value, -1));
	else if (strcmp(line->name, "ORGANIZER") == 0)
		set(&event->organizer, person(line));
	else if (strcmp(line->name, "RRULE") == 0)
		set(&event->repeats, repeats_line(line->value));
	else if (strcmp(line->name, "ATTENDEE") == 0)
		add_attendee(event, line);
	else if (strcmp(line->name, "DTSTART") == 0)
		read_moment(line, &event->start);
	else if (strcmp(line->name, "DTEND") == 0)
		read_moment(line, &event->end);
	else if (strcmp(line->name, "DURATION") == 0)
		event->length = read_duration(line->value);
}

static bool begins(const struct contentline *line, const char *name, const char *value)
{
	return strcmp(line->name, name) == 0 && str_equal_case(line->value, value);
}

static void read_line(void *context, const struct contentline *line)
{
	struct calendar *calendar = context;

	if (calendar->event == NULL) {
		if (strcmp(line->name, "METHOD") == 0)
			set(&calendar->method, g_strdup(line->value));
		else if (begins(line, "BEGIN", "VEVENT") && calendar->count < CALENDAR_EVENTS_MAX)
			calendar->event = event_new();
	} else if (begins(line, "END", "VEVENT")) {
		put_event(calendar);
		event_free(calendar->event);
		calendar->event = NULL;
		calendar->skip = 0;
	} else if (strcmp(line->name, "BEGIN") == 0) {
		calendar->skip++;
	} else if (strcmp(line->name, "END") == 0) {
		calendar->skip -= calendar->skip > 0;
	} else if (calendar->skip == 0) {
		read_property(calendar->event, line);
	}
}

static const char *title_of(const char *method)
{
	static const char *const titles[][2] = { { "REQUEST", "Invitation" },
		{ "CANCEL", "Cancelled" }, { "REPLY", "Answer to an invitation" },
		{ "COUNTER", "Proposal for another time" } };

	for (size_t i = 0; method != NULL && i < G_N_ELEMENTS(titles); i++)
		if (str_equal_case(method, titles[i][0]))
			return titles[i][1];
	return "Event";
}

bool calendar_to_card(const GString *text, GString *card, const char **title_out)
{
	struct calendar calendar = { .card = card };

	contentline_each(text, read_line, &calendar);
	/* an event without its end is shown as far as it goes */
	if (calendar.event != NULL)
		put_event(&calendar);
	event_free(calendar.event);
	*title_out = wording(title_of(calendar.method));
	g_free(calendar.method);
	return calendar.count > 0 && card->len > 0;
}
