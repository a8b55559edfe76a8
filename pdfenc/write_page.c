#include "pdfenc/write_page.h"

#include <math.h>
#include <string.h>

#define KAPPA 0.5522847498	/* of a quarter circle's Bezier curve */

/* ---- state ---- */

void write_page_end_line(struct write_page *page)
{
	GString *out = page->out;

	if (!page->in_array)
		return;
	g_string_append(out, page->in_string ? ")" : "");
	if (page->has_gaps) {
		g_string_insert(out, (gssize)page->array_at, page->next_line ? "T*[" : "[");
		g_string_append(out, "]TJ\n");
	} else {
		g_string_append(out, page->next_line ? "'\n" : "Tj\n");
	}
	page->in_array = false;
	page->in_string = false;
	page->has_gaps = false;
	page->next_line = false;
}

static void unmark(struct write_page *page)
{
	if (page->mark != WRITE_MARK_NONE)
		g_string_append(page->out, "EMC\n");
	page->mark = WRITE_MARK_NONE;
	page->marked_inside = false;
}

/* A mark that began in the text object ends with it. */
static void end_text(struct write_page *page)
{
	write_page_end_line(page);
	if (page->marked_inside)
		unmark(page);
	if (page->in_text)
		g_string_append(page->out, "ET\n");
	page->in_text = false;
}

static void end_mark(struct write_page *page)
{
	if (page->mark != WRITE_MARK_NONE && !page->marked_inside)
		end_text(page);
	write_page_end_line(page);
	unmark(page);
}

static void mark_decoration(struct write_page *page)
{
	if (page->mark == WRITE_MARK_DECORATION)
		return;
	end_mark(page);
	g_string_append(page->out, "/Artifact BMC\n");
	page->mark = WRITE_MARK_DECORATION;
	page->marked_inside = page->in_text;
}

static void mark_node(struct write_page *page, unsigned int node)
{
	struct write_tree *tree = &page->document->tree;

	if (page->mark == WRITE_MARK_CONTENT && page->mark_node == node)
		return;
	end_mark(page);
	put_name(page->out, write_tree_tag(tree, node));
	g_string_append(page->out, "<</MCID ");
	put_count(page->out, write_tree_mark(tree, node, page->index));
	g_string_append(page->out, ">>BDC\n");
	page->mark = WRITE_MARK_CONTENT;
	page->mark_node = node;
	page->marked_inside = page->in_text;
}

static void mark_content(struct write_page *page)
{
	if (page->decoration > 0 || page->open_count == 0)
		mark_decoration(page);
	else
		mark_node(page, page->open[page->open_count - 1]);
}

static bool is_marked(const struct write_page *page)
{
	if (page->decoration > 0 || page->open_count == 0)
		return page->mark == WRITE_MARK_DECORATION;
	return page->mark == WRITE_MARK_CONTENT &&
	    page->mark_node == page->open[page->open_count - 1];
}

void write_page_content(struct write_page *page)
{
	end_text(page);
	mark_content(page);
}

void write_page_text(struct write_page *page)
{
	if (!is_marked(page))
		end_mark(page);
	if (!page->in_text) {
		g_string_append(page->out, "BT\n");
		page->in_text = true;
		page->skewed = false;
		page->line_x = 0;
		page->line_y = 0;
		page->pen = NAN;	/* nowhere: the first glyph moves */
	}
	mark_content(page);
}

static void save(struct write_page *page)
{
	page->saved[page->depth++] = page->now;
	g_string_append(page->out, "q\n");
}

static void restore(struct write_page *page)
{
	end_text(page);
	end_mark(page);
	if (page->too_deep > 0) {
		page->too_deep--;
	} else if (page->depth > 0) {
		page->now = page->saved[--page->depth];
		g_string_append(page->out, "Q\n");
	}
}

/* False: nested too deep, and not followed. */
static bool enter(struct write_page *page)
{
	end_text(page);
	end_mark(page);
	if (page->depth >= DISPLAY_NEST_MAX) {
		page->too_deep++;
		return false;
	}
	save(page);
	return true;
}

static void put_color(GString *out, struct display_color color, const char *gray, const char *rgb)
{
	double values[3] = { (double)color.red, (double)color.green, (double)color.blue };

	for (unsigned int i = 0; i < 3; i++)
		values[i] = round(CLAMP(values[i], 0.0, 1.0) * 1000) / 1000;
	put_fine(out, values[0]);
	if (values[0] == values[1] && values[0] == values[2]) {
		g_string_append(out, gray);
		return;
	}
	for (unsigned int i = 1; i < 3; i++) {
		g_string_append_c(out, ' ');
		put_fine(out, values[i]);
	}
	g_string_append(out, rgb);
}

static bool same_color(struct display_color a, struct display_color b)
{
	return memcmp(&a, &b, offsetof(struct display_color, clear)) == 0;
}

static void set_clear(struct write_page *page, float clear)
{
	double wanted = clear > 0 ? MIN((double)clear, 1.0) : 0;
	unsigned int step = (unsigned int)(wanted * WRITE_CLEAR_STEPS + 0.5);

	if (step == page->now.clear)
		return;
	write_page_end_line(page);
	page->now.clear = step;
	page->document->clears[step] = true;
	g_string_append(page->out, "/A");
	put_count(page->out, step);
	g_string_append(page->out, " gs\n");
}

void write_page_fill(struct write_page *page, struct display_color color)
{
	set_clear(page, color.clear);
	if (same_color(page->now.fill, color))
		return;
	write_page_end_line(page);
	page->now.fill = color;
	put_color(page->out, color, " g\n", " rg\n");
}

void write_page_stroke(struct write_page *page, struct display_color color, double line)
{
	set_clear(page, color.clear);
	if (!same_color(page->now.stroke, color)) {
		write_page_end_line(page);
		page->now.stroke = color;
		put_color(page->out, color, " G\n", " RG\n");
	}
	if (page->now.line != line) {
		write_page_end_line(page);
		page->now.line = line;
		put_number(page->out, line);
		g_string_append(page->out, " w\n");
	}
}

static void multiply(double to[6], const double inner[6], const double outer[6])
{
	double made[6];

	for (unsigned int i = 0; i < 6; i += 2) {
		double last = i == 4 ? 1 : 0;

		made[i] = inner[i] * outer[0] + inner[i + 1] * outer[2] + last * outer[4];
		made[i + 1] = inner[i] * outer[1] + inner[i + 1] * outer[3] + last * outer[5];
	}
	memcpy(to, made, sizeof(made));
}

static void put_matrix(GString *out, const double matrix[6])
{
	for (unsigned int i = 0; i < 4; i++) {
		put_fine(out, matrix[i]);
		g_string_append_c(out, ' ');
	}
	put_numbers(out, matrix + 4, 2);
	g_string_append(out, "cm\n");
}

/* ---- shapes ---- */

static void put_operator(struct write_page *page, const double *values, unsigned int count,
    const char *operator)
{
	put_numbers(page->out, values, count);
	g_string_append(page->out, operator);
}

/* One rounded corner: from where the pen is, around (x, y), whose curve has these directions. */
static void put_corner(struct write_page *page, double x, double y, double r, const double from[2],
    const double to[2])
{
	double near = r * (1 - KAPPA);
	double values[6] = { x + from[0] * near, y + from[1] * near, x + to[0] * near,
		y + to[1] * near, x + to[0] * r, y + to[1] * r };
	double start[2] = { x + from[0] * r, y + from[1] * r };

	put_operator(page, start, 2, "l\n");
	if (r > 0)
		put_operator(page, values, 6, "c\n");
}

static void put_box(struct write_page *page, const struct display_box *box)
{
	static const double left[2] = { -1, 0 };
	static const double right[2] = { 1, 0 };
	static const double up[2] = { 0, 1 };
	static const double down[2] = { 0, -1 };
	double x[2] = { (double)box->x, (double)box->x + (double)box->width };
	double y[2] = { page->height - (double)box->y,
		page->height - (double)box->y - (double)box->height };
	double limit = MIN((double)box->width, (double)box->height) / 2;
	double r[4];
	bool rounded = false;

	for (unsigned int i = 0; i < 4; i++) {
		r[i] = (double)(box->radius > 0 ? box->radius : box->corners[i]);
		r[i] = r[i] > 0 && limit > 0 ? MIN(r[i], limit) : 0;
		rounded = rounded || r[i] > 0;
	}
	if (!rounded) {
		double values[4] = { x[0], y[1], x[1] - x[0], y[0] - y[1] };

		put_operator(page, values, 4, "re\n");
		return;
	}
	put_operator(page, (const double[2]){ x[0] + r[0], y[0] }, 2, "m\n");
	put_corner(page, x[1], y[0], r[1], left, down);
	put_corner(page, x[1], y[1], r[2], up, left);
	put_corner(page, x[0], y[1], r[3], right, up);
	put_corner(page, x[0], y[0], r[0], down, right);
	g_string_append(page->out, "h\n");
}

static void put_dash(struct write_page *page, enum display_dash dash, double line)
{
	if (dash == DISPLAY_SOLID)
		return;
	if (dash == DISPLAY_DOTTED)
		g_string_append(page->out, "1 J[0 ");
	else
		g_string_append_c(page->out, '[');
	put_number(page->out, dash == DISPLAY_DOTTED ? 2 * line : 3 * line);
	g_string_append(page->out, "]0 d\n");
}

static void end_dash(struct write_page *page, enum display_dash dash)
{
	if (dash != DISPLAY_SOLID)
		g_string_append(page->out, "0 J[]0 d\n");
}

static void draw_box(struct write_page *page, const struct display_box *box)
{
	end_text(page);
	mark_decoration(page);
	if (box->line > 0) {
		write_page_stroke(page, box->color, (double)box->line);
		put_dash(page, box->dash, (double)box->line);
		put_box(page, box);
		g_string_append(page->out, "S\n");
		end_dash(page, box->dash);
		return;
	}
	write_page_fill(page, box->color);
	put_box(page, box);
	g_string_append(page->out, "f\n");
}

static void draw_path(struct write_page *page, const struct display_path *path)
{
	if (path->count < 2)
		return;
	end_text(page);
	mark_decoration(page);
	if (path->line > 0) {
		write_page_stroke(page, path->color, (double)path->line);
		put_dash(page, path->dash, (double)path->line);
	} else {
		write_page_fill(page, path->color);
	}
	for (unsigned int i = 0; i < path->count; i++) {
		double point[2] = { (double)path->points[i].x,
			page->height - (double)path->points[i].y };

		put_operator(page, point, 2, i == 0 ? "m\n" : "l\n");
	}
	g_string_append(page->out, path->line > 0 ? "S\n" : "f\n");
	if (path->line > 0)
		end_dash(page, path->dash);
}

static void clip(struct write_page *page, const struct display_box *box)
{
	if (!enter(page))
		return;
	put_box(page, box);
	g_string_append(page->out, "W n\n");
}

/* Matrices of the display count y downwards from the page's top. */
static void push(struct write_page *page, const struct display_matrix *matrix)
{
	double h = page->height;
	double values[6] = { (double)matrix->xx, -(double)matrix->yx, -(double)matrix->xy,
		(double)matrix->yy, (double)matrix->xy * h + (double)matrix->x0,
		h - (double)matrix->yy * h - (double)matrix->y0 };

	if (!enter(page))
		return;
	put_matrix(page->out, values);
	multiply(page->now.matrix, values, page->now.matrix);
}

/* ---- pictures ---- */

void write_page_image(struct write_page *page, unsigned int index, const double matrix[6])
{
	g_string_append(page->out, "q ");
	put_matrix(page->out, matrix);
	g_string_append(page->out, "/I");
	put_count(page->out, index);
	g_string_append(page->out, " Do Q\n");
}

/* The rectangle after the page's matrix: left, bottom, right, top. */
static void box_on_page(const struct write_page *page, const double rect[4], double box[4])
{
	const double *m = page->now.matrix;

	for (unsigned int i = 0; i < 4; i++) {
		double x = rect[(i & 1) * 2];
		double y = rect[(i & 2) + 1];
		double to_x = m[0] * x + m[2] * y + m[4];
		double to_y = m[1] * x + m[3] * y + m[5];

		box[0] = i == 0 ? to_x : MIN(box[0], to_x);
		box[1] = i == 0 ? to_y : MIN(box[1], to_y);
		box[2] = i == 0 ? to_x : MAX(box[2], to_x);
		box[3] = i == 0 ? to_y : MAX(box[3], to_y);
	}
}

/* Exif 4.6.5.1.6: which side of the picture the first row and column are. */
static void turned(unsigned int turn, double x, double y, double width, double height,
    double to[6])
{
	static const double turns[9][6] = { { 1, 0, 0, 1, 0, 0 }, { 1, 0, 0, 1, 0, 0 },
		{ -1, 0, 0, 1, 1, 0 }, { -1, 0, 0, -1, 1, 1 }, { 1, 0, 0, -1, 0, 1 },
		{ 0, -1, -1, 0, 1, 1 }, { 0, -1, 1, 0, 0, 1 }, { 0, 1, 1, 0, 0, 0 },
		{ 0, 1, -1, 0, 1, 0 } };
	double place[6] = { width, 0, 0, height, x, y };

	multiply(to, turns[turn <= 8 ? turn : 1], place);
}

static void draw_picture(struct write_page *page, const struct display_picture *picture)
{
	double x = (double)picture->x;
	double y = page->height - (double)picture->y - (double)picture->height;
	double rect[4] = { x, y, x + (double)picture->width, y + (double)picture->height };
	unsigned int index = write_image(&page->document->images, picture->image);
	unsigned int parent = page->open_count > 0 ? page->open[page->open_count - 1] :
	    WRITE_TREE_ROOT;
	double matrix[6];
	double box[4];

	if (picture->alt != NULL && page->decoration == 0) {
		unsigned int node = write_tree_add(&page->document->tree, "Figure", picture->alt,
		    parent);

		box_on_page(page, rect, box);
		write_tree_box(&page->document->tree, node, box);
		end_text(page);
		mark_node(page, node);
	} else {
		write_page_content(page);
	}
	set_clear(page, 0);
	turned(picture->image->turn, x, y, (double)picture->width, (double)picture->height, matrix);
	write_page_image(page, index, matrix);
}

/* ---- links and structure ---- */

/* The open Link, or a new one below the innermost element, which has nothing to show but uri. */
static unsigned int link_node(struct write_page *page, const char *uri)
{
	struct write_tree *tree = &page->document->tree;

	for (unsigned int i = page->open_count; i-- > 0;)
		if (strcmp(write_tree_tag(tree, page->open[i]), "Link") == 0)
			return page->open[i];
	return write_tree_add(tree, "Link", uri, page->open_count > 0 ?
	    page->open[page->open_count - 1] : WRITE_TREE_ROOT);
}

static void draw_link(struct write_page *page, const struct display_link *link)
{
	struct write_file *file = &page->document->file;
	double top = page->height - (double)link->y;
	double rect[4] = { (double)link->x, top - (double)link->height,
		(double)link->x + (double)link->width, top };
	double box[4];
	unsigned int number;
	GString *body;

	if (!(link->width > 0) || !(link->height > 0))
		return;
	box_on_page(page, rect, box);
	number = write_reserve(file);
	body = g_string_new("<</Type/Annot/Subtype/Link/F 4/Border[0 0 0]/Rect[");
	put_numbers(body, box, 4);
	g_string_append(body, "]/StructParent ");
	put_count(body, write_tree_link(&page->document->tree, link_node(page, link->uri),
	    page->index, number));
	g_string_append(body, "/Contents");
	put_text(body, link->uri, strlen(link->uri));
	g_string_append(body, "/A<</S/URI/URI");
	put_bytes(body, link->uri, strlen(link->uri));
	g_string_append(body, ">>>>");
	write_object(file, number, body);
	g_string_free(body, TRUE);
	put_reference(page->annotations, number);
}

static bool is_decoration(const struct display_element *element)
{
	return strcmp(element->tag, "Artifact") == 0;
}

static void begin(struct write_page *page, const struct display_element *element)
{
	unsigned int parent = page->open_count > 0 ? page->open[page->open_count - 1] :
	    WRITE_TREE_ROOT;

	if (is_decoration(element))
		page->decoration++;
	else if (page->open_count >= DISPLAY_NEST_MAX)
		page->open_too_deep++;
	else
		page->open[page->open_count++] = write_tree_node(&page->document->tree, element,
		    parent);
}

static void end(struct write_page *page, const struct display_element *element)
{
	if (is_decoration(element))
		page->decoration -= page->decoration > 0;
	else if (page->open_too_deep > 0)
		page->open_too_deep--;
	else if (page->open_count > 0)
		page->open_count--;
}

static void draw(struct write_page *page, const struct display_item *item)
{
	switch (item->kind) {
	case DISPLAY_RUN:
		write_text_run(page, &item->as.run);
		break;
	case DISPLAY_BOX:
		draw_box(page, &item->as.box);
		break;
	case DISPLAY_PATH:
		draw_path(page, &item->as.path);
		break;
	case DISPLAY_PICTURE:
		draw_picture(page, &item->as.picture);
		break;
	case DISPLAY_LINK:
		draw_link(page, &item->as.link);
		break;
	case DISPLAY_BEGIN:
		begin(page, item->as.element);
		break;
	case DISPLAY_END:
		end(page, item->as.element);
		break;
	case DISPLAY_CLIP:
		clip(page, &item->as.box);
		break;
	case DISPLAY_PUSH:
		push(page, &item->as.matrix);
		break;
	case DISPLAY_CLIP_END:
	case DISPLAY_POP:
		restore(page);
		break;
	}
}

void write_page(struct write_document *document, unsigned int index, GString *out,
    GString *annotations)
{
	static const double identity[6] = { 1, 0, 0, 1, 0, 0 };
	struct write_page page;

	memset(&page, 0, sizeof(page));
	page.document = document;
	page.page = g_ptr_array_index(document->display->pages, index);
	page.index = index;
	page.height = (double)page.page->height;
	page.out = out;
	page.annotations = annotations;
	page.now.line = 1;
	memcpy(page.now.matrix, identity, sizeof(identity));
	for (unsigned int i = 0; i < page.page->items->len; i++)
		draw(&page, &g_array_index(page.page->items, struct display_item, i));
	page.too_deep = 0;
	while (page.depth > 0)
		restore(&page);
	end_text(&page);
	end_mark(&page);
}
