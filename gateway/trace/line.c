#include "gateway/trace/line.h"

#include <string.h>
#include <time.h>

#include "gateway/base/str.h"

#define LINE_DAY_MS ((int64_t)24 * 3600 * 1000)

/* Exactly digits digits, at *at, which moves behind them. */
static bool line_number(const char **at, unsigned int digits, int *value_out)
{
	*value_out = 0;
	for (; digits > 0; digits--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*value_out = *value_out * 10 + (**at - '0');
	}
	return true;
}

static bool line_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool line_clock(const char **at, struct tm *tm)
{
	return line_number(at, 2, &tm->tm_hour) && line_char(at, ':') &&
	    line_number(at, 2, &tm->tm_min) && line_char(at, ':') &&
	    line_number(at, 2, &tm->tm_sec) && tm->tm_hour < 24 && tm->tm_min < 60 &&
	    tm->tm_sec < 61;
}

/* Local time without a year: the year is the last in which it is not in the future. */
static bool line_traditional(const char **at, int64_t now_ms, int64_t *time_ms_out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = (time_t)(now_ms / 1000);
	char name[4] = "";
	struct tm tm = {.tm_isdst = -1};
	struct tm today;
	const char *month;
	unsigned int try;

	if (strnlen(*at, 4) < 4 || localtime_r(&now, &today) == NULL)
		return false;
	memcpy(name, *at, 3);
	month = strstr(months, name);
	if (month == NULL || (month - months) % 3 != 0)
		return false;
	*at += 3;
	if (!line_char(at, ' '))
		return false;
	/* the day is padded with a space */
	if (!(**at == ' ' ? (*at)++, line_number(at, 1, &tm.tm_mday) :
	    line_number(at, 2, &tm.tm_mday)) || !line_char(at, ' ') || !line_clock(at, &tm))
		return false;
	tm.tm_mon = (int)(month - months) / 3;
	for (try = 0; try < 2; try++) {
		struct tm guess = tm;

		guess.tm_year = today.tm_year - (int)try;
		*time_ms_out = (int64_t)mktime(&guess) * 1000;
		if (*time_ms_out <= now_ms + LINE_DAY_MS)
			break;
	}
	return true;
}

/* Behind the seconds: ".123456" and "Z" or "+01:00". */
static bool line_fraction(const char **at, int *ms_out, int *offset_minutes_out)
{
	int scale = 100;
	int minutes = 0;
	int hours = 0;
	char sign;

	*ms_out = 0;
	*offset_minutes_out = 0;
	if (line_char(at, '.'))
		for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
			*ms_out += (**at - '0') * scale;
	if (line_char(at, 'Z'))
		return true;
	sign = **at;
	if (sign != '+' && sign != '-')
		return false;
	(*at)++;
	if (!line_number(at, 2, &hours) || !line_char(at, ':') || !line_number(at, 2, &minutes))
		return false;
	*offset_minutes_out = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
	return true;
}

static bool line_rfc3339(const char **at, int64_t *time_ms_out)
{
	struct tm tm = {.tm_isdst = 0};
	int offset_minutes;
	int ms;

	if (!line_number(at, 4, &tm.tm_year) || !line_char(at, '-') ||
	    !line_number(at, 2, &tm.tm_mon) || !line_char(at, '-') ||
	    !line_number(at, 2, &tm.tm_mday) || !line_char(at, 'T') || !line_clock(at, &tm) ||
	    !line_fraction(at, &ms, &offset_minutes) || tm.tm_year < 1970)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*time_ms_out = ((int64_t)timegm(&tm) - (int64_t)offset_minutes * 60) * 1000 + ms;
	return true;
}

/* "postfix/smtp[9316]: " */
static bool line_program(const char **at, struct line *line)
{
	size_t size = strcspn(*at, "[ ");
	int digit;

	if ((*at)[size] != '[' || size == 0 || size >= sizeof(line->program) ||
	    memchr(*at, '/', size) == NULL)
		return false;
	memcpy(line->program, *at, size);
	line->program[size] = '\0';
	*at += size + 1;
	line->pid = 0;
	while (line_number(at, 1, &digit)) {
		if (line->pid > UINT32_MAX / 10 - 1)
			return false;
		line->pid = line->pid * 10 + (uint32_t)digit;
	}
	return line_char(at, ']') && line_char(at, ':') && line_char(at, ' ');
}

bool line_parse(const char *bytes, int64_t now_ms, struct line *line_out)
{
	const char *at = bytes;
	const char *host;

	memset(line_out, 0, sizeof(*line_out));
	if (!(*at >= '0' && *at <= '9' ? line_rfc3339(&at, &line_out->time_ms) :
	    line_traditional(&at, now_ms, &line_out->time_ms)) || !line_char(&at, ' '))
		return false;
	host = strchr(at, ' ');
	if (host == NULL)
		return false;
	at = host + 1;
	if (!line_program(&at, line_out))
		return false;
	line_out->text = at;
	return true;
}
