#include "milter/cover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/looks.h"
#include "config/readable.h"
#include "gateway/base/str.h"
#include "milter/part.h"

#define ADDRESS_MAX ((size_t)254)	/* bytes, RFC 5321 */
#define NAME_MAX_SHOWN ((size_t)100)	/* bytes of a sender's name */
#define SUBJECT_MAX_SHOWN ((size_t)200)
#define VALUE_MAX ((size_t)16 * 1024)	/* bytes; a sentence of an administrator has below 8 KB */
#define LOGO_WIDTH 160u			/* CSS pixels at most: 40 by 14 mm on the page */
#define LOGO_HEIGHT 56u
#define PRESET_COLOUR "#2f5d78"

/* What a text may name, in the order of names below. */
enum { SENDER, NAME, RECIPIENT, SUBJECT, ORGANISATION, COLOUR, FILE_NAME, NUMBER,
	HOW, FILES, INVITATION, HELP, HELP_URL, CLOSING, LOGO, VALUES };

struct values {
	struct buf of[VALUES];
};

static void values_init(struct values *values)
{
	for (unsigned int i = 0; i < VALUES; i++)
		buf_init(&values->of[i], VALUE_MAX);
}

static void values_free(struct values *values)
{
	for (unsigned int i = 0; i < VALUES; i++)
		buf_free(&values->of[i]);
}

static void values_list(const struct values *values, struct template_value list_out[VALUES])
{
	static const char *const names[VALUES] = { "sender", "name", "recipient", "subject",
		"organisation", "colour", "file", "number", "how", "files", "invitation", "help",
		"help_url", "closing", "logo" };

	for (unsigned int i = 0; i < VALUES; i++) {
		list_out[i].name = names[i];
		list_out[i].text = (const char *)values->of[i].data;
		list_out[i].size = values->of[i].size;
	}
}

/* ---- the sender ---- */

static bool is_address(const char *text, size_t size)
{
	bool at = false;

	for (size_t i = 0; i < size; i++) {
		at = at || (text[i] == '@' && i > 0 && i + 1 < size);
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f ||
		    strchr("<>\"(),;:\\", text[i]) != NULL)
			return false;
	}
	return at && size <= ADDRESS_MAX;
}

/* The first "<" that no quotes hide, NULL if there is none. */
static const char *find_angle(const char *value)
{
	bool quoted = false;

	for (; *value != '\0'; value++) {
		if (*value == '\\' && value[1] != '\0')
			value++;
		else if (*value == '"')
			quoted = !quoted;
		else if (*value == '<' && !quoted)
			return value;
	}
	return NULL;
}

enum fail_code cover_address(const struct message *message, struct buf *out)
{
	const char *value = message_header(message, "From");
	const char *angle = value == NULL ? NULL : find_angle(value);
	size_t size;

	if (angle != NULL)
		value = angle + 1;
	size = value == NULL ? 0 : strcspn(value, angle != NULL ? ">" : "\r\n");
	size = value == NULL ? 0 : str_trim_end(value, size);
	if (size > 0 && is_address(value, size))
		return buf_append(out, value, size);
	if (message->sender != NULL && is_address(message->sender, strlen(message->sender)))
		return buf_append_str(out, message->sender);
	return SG_OK;
}

/* The name before "<", unquoted, as it came. NULL: no memory. */
static char *raw_name(const struct message *message)
{
	const char *value = message_header(message, "From");
	const char *angle = value == NULL ? NULL : find_angle(value);
	char *name;
	char *out;

	if (angle == NULL)
		return str_dup("");
	name = str_dup_n(value, (size_t)(angle - value));
	if (name == NULL)
		return NULL;
	out = name;
	for (const char *at = name; *at != '\0'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '"')
			continue;
		*out++ = *at;
	}
	*out = '\0';
	name[str_trim_end(name, strlen(name))] = '\0';
	return name;
}

/* A name with an address in it could pretend to be another sender: then the address alone. */
static enum fail_code put_sender(const struct message *message, struct values *values)
{
	struct buf *name = &values->of[NAME];
	struct buf *sender = &values->of[SENDER];
	struct buf address;
	char *raw = raw_name(message);
	enum fail_code code = raw == NULL ? SG_ENOMEM : readable_text(raw, NAME_MAX_SHOWN, name);

	buf_init(&address, VALUE_MAX);
	if (code == SG_OK)
		code = cover_address(message, &address);
	if (code == SG_OK && (name->size == 0 || memchr(name->data, '@', name->size) != NULL)) {
		buf_reset(name);
		if (address.size > 0) {
			code = buf_append(name, address.data, address.size);
			if (code == SG_OK)
				code = buf_append(sender, address.data, address.size);
		}
	} else if (code == SG_OK) {
		code = buf_append(sender, name->data, name->size);
		if (code == SG_OK && address.size > 0)
			code = buf_printf(sender, " <%.*s>", (int)address.size,
			    (const char *)address.data);
	}
	buf_free(&address);
	free(raw);
	return code;
}

/* ---- values ---- */

static const char *section_of(const struct cover *cover)
{
	static const char *const sections[] = {
		[COVER_RECIPIENT] = "recipient", [COVER_CHOSEN] = "chosen",
		[COVER_GENERATED] = "generated", [COVER_HOOK] = "hook", [COVER_SMS] = "sms",
	};

	if (cover->how == COVER_SMS && cover->number == NULL)
		return sections[COVER_HOOK];
	return sections[cover->how];
}

static enum fail_code put_section(const struct cover *cover, const char *section,
    struct values *values, unsigned int place)
{
	char *text = template_section(cover->conf, cover->language, section);
	struct template_value list[VALUES];
	enum fail_code code;

	values_list(values, list);
	code = text == NULL ? SG_ENOMEM : template_fill(text, list, HOW, &values->of[place]);
	free(text);
	return code;
}

static const char *colour_of(const struct conf_tenant *tenant)
{
	unsigned char rgb[3];

	return tenant != NULL && looks_colour(tenant->colour, rgb) ? tenant->colour :
	    PRESET_COLOUR;
}

/* What does not depend on the others. */
static enum fail_code put_facts(const struct cover *cover, struct values *values)
{
	char *file = template_section(cover->conf, cover->language, "file");
	enum fail_code code = file == NULL ? SG_ENOMEM :
	    buf_append_str(&values->of[FILE_NAME], file);

	free(file);
	if (code == SG_OK)
		code = put_sender(cover->message, values);
	if (code == SG_OK && cover->recipient != NULL)
		code = readable_text(cover->recipient, ADDRESS_MAX, &values->of[RECIPIENT]);
	if (code == SG_OK && cover->subject != NULL)
		code = readable_text(cover->subject, SUBJECT_MAX_SHOWN, &values->of[SUBJECT]);
	if (code == SG_OK && cover->number != NULL)
		code = readable_text(cover->number, ADDRESS_MAX, &values->of[NUMBER]);
	if (code == SG_OK && cover->tenant != NULL)
		code = buf_append_str(&values->of[ORGANISATION], cover->tenant->organisation);
	return code == SG_OK ? buf_append_str(&values->of[COLOUR], colour_of(cover->tenant)) :
	    code;
}

/* The one link that there may be, and what is said of links. */
static enum fail_code put_help(const struct cover *cover, struct values *values)
{
	const char *url = cover->tenant == NULL ? NULL : cover->tenant->help_url;
	enum fail_code code;

	if (url == NULL || url[0] == '\0')
		return put_section(cover, "closing", values, CLOSING);
	code = buf_append_str(&values->of[HELP_URL], url);
	if (code == SG_OK)
		code = put_section(cover, "help", values, HELP);
	return code == SG_OK ? put_section(cover, "closing-help", values, CLOSING) : code;
}

static enum fail_code put_values(const struct cover *cover, struct values *values)
{
	enum fail_code code = put_facts(cover, values);

	if (code == SG_OK)
		code = put_section(cover, section_of(cover), values, HOW);
	if (code == SG_OK && cover->files)
		code = put_section(cover, "files", values, FILES);
	if (code == SG_OK && cover->invitation)
		code = put_section(cover, "invitation", values, INVITATION);
	return code == SG_OK ? put_help(cover, values) : code;
}

static const struct conf_logo *logo_of(const struct cover *cover)
{
	return cover->tenant != NULL && cover->tenant->logo_file.data != NULL ?
	    &cover->tenant->logo_file : NULL;
}

static enum fail_code put_logo(const struct conf_logo *logo, const char *id,
    struct values *values)
{
	const struct buf *organisation = &values->of[ORGANISATION];
	unsigned int width = logo->width;
	unsigned int height = logo->height;

	if (width > LOGO_WIDTH) {
		height = (height * LOGO_WIDTH + width / 2) / width;
		width = LOGO_WIDTH;
	}
	if (height > LOGO_HEIGHT) {
		width = (width * LOGO_HEIGHT + height / 2) / height;
		height = LOGO_HEIGHT;
	}
	return buf_printf(&values->of[LOGO], "<img src=\"cid:logo.%s@sealgate\" width=\"%u\" "
	    "height=\"%u\" alt=\"%.*s\" style=\"border:0\">", id, width > 0 ? width : 1,
	    height > 0 ? height : 1, (int)organisation->size,
	    organisation->size > 0 ? (const char *)organisation->data : "");
}

static enum fail_code escape_values(const struct values *from, struct values *to)
{
	enum fail_code code = SG_OK;

	for (unsigned int i = 0; i < VALUES && code == SG_OK; i++)
		code = part_escape((const char *)from->of[i].data, from->of[i].size, &to->of[i]);
	return code;
}

/* ---- parts ---- */

static enum fail_code put_plain(const struct cover *cover, const struct values *values,
    struct buf *out)
{
	struct template_value list[VALUES];
	struct buf filled;
	struct buf text;
	enum fail_code code;

	buf_init(&filled, COVER_MAX);
	buf_init(&text, COVER_MAX);
	values_list(values, list);
	code = template_fill_lines(template_text(cover->conf, cover->language, TEMPLATE_OUTER),
	    list, VALUES, &filled);
	if (code == SG_OK)
		code = buf_str(&filled) == NULL ? SG_ENOMEM : part_wrap(buf_str(&filled), &text);
	if (code == SG_OK)
		code = part_text("text/plain", template_language(cover->language), &text, out);
	buf_free(&text);
	buf_free(&filled);
	return code;
}

static enum fail_code put_html_text(const struct cover *cover, const struct values *values,
    struct buf *out)
{
	struct template_value list[VALUES];
	struct buf filled;
	enum fail_code code;

	buf_init(&filled, COVER_MAX);
	values_list(values, list);
	code = template_fill_lines(template_text(cover->conf, cover->language,
	    TEMPLATE_OUTER_HTML), list, VALUES, &filled);
	if (code == SG_OK)
		code = part_text("text/html", template_language(cover->language), &filled, out);
	buf_free(&filled);
	return code;
}

/* The HTML alone, or with its picture (RFC 2387). */
static enum fail_code put_html(const struct cover *cover, const struct values *values,
    const char *id, struct buf *out)
{
	const struct conf_logo *logo = logo_of(cover);
	struct part_picture picture;
	char cid[80];
	enum fail_code code;

	if (logo == NULL)
		return put_html_text(cover, values, out);
	(void)snprintf(cid, sizeof(cid), "logo.%s@sealgate", id);
	picture = (struct part_picture){ looks_logo_type(logo),
	    logo->jpeg ? "logo.jpg" : "logo.png", cid, logo->data, logo->size };
	code = buf_printf(out, "Content-Type: multipart/related; type=\"text/html\";\r\n"
	    "\tboundary=\"=_sealgate_2_%s\"\r\n\r\n--=_sealgate_2_%s\r\n", id, id);
	if (code == SG_OK)
		code = put_html_text(cover, values, out);
	if (code == SG_OK)
		code = buf_printf(out, "\r\n--=_sealgate_2_%s\r\n", id);
	if (code == SG_OK)
		code = part_picture(&picture, out);
	return code == SG_OK ? buf_printf(out, "\r\n--=_sealgate_2_%s--\r\n", id) : code;
}

static enum fail_code put_all(const struct cover *cover, const char *id, struct values *plain,
    struct values *html, struct buf *out)
{
	enum fail_code code = put_values(cover, plain);

	if (code == SG_OK)
		code = escape_values(plain, html);
	if (code == SG_OK && logo_of(cover) != NULL)
		code = put_logo(logo_of(cover), id, html);
	if (code == SG_OK)
		code = buf_printf(out, "Content-Type: multipart/alternative;\r\n"
		    "\tboundary=\"=_sealgate_1_%s\"\r\n\r\n--=_sealgate_1_%s\r\n", id, id);
	if (code == SG_OK)
		code = put_plain(cover, plain, out);
	if (code == SG_OK)
		code = buf_printf(out, "\r\n--=_sealgate_1_%s\r\n", id);
	if (code == SG_OK)
		code = put_html(cover, html, id, out);
	return code == SG_OK ? buf_printf(out, "\r\n--=_sealgate_1_%s--\r\n", id) : code;
}

enum fail_code cover_put(const struct cover *cover, const char *id, struct buf *out,
    struct fail *f)
{
	struct values plain;
	struct values html;
	enum fail_code code;

	values_init(&plain);
	values_init(&html);
	code = put_all(cover, id, &plain, &html, out);
	values_free(&plain);
	values_free(&html);
	return code == SG_OK ? SG_OK :
	    fail_set(f, code, NULL, "no memory for the text around a PDF");
}

enum fail_code cover_file(const struct cover *cover, char name_out[TEMPLATE_FILE_MAX],
    struct fail *f)
{
	char *file = template_section(cover->conf, cover->language, "file");

	if (file == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the text around a PDF");
	(void)snprintf(name_out, TEMPLATE_FILE_MAX, "%s", file);
	free(file);
	return SG_OK;
}
