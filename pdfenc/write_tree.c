#include "pdfenc/write_tree.h"

#include <string.h>

enum kid_kind { KID_NODE, KID_MARK, KID_LINK };

struct kid {
	enum kid_kind kind;
	unsigned int value;	/* node, MCID, object */
	unsigned int page;
};

struct node {
	const char *tag;
	const char *alt;
	const struct display_element *element;	/* or NULL */
	unsigned int parent;
	unsigned int number;
	bool has_box;
	bool alive;		/* has content */
	double box[4];
	GArray *kids;		/* struct kid */
};

static struct node *node_at(const struct write_tree *tree, unsigned int index)
{
	return &g_array_index(tree->nodes, struct node, index);
}

static void node_clear(void *data)
{
	struct node *node = data;

	g_array_unref(node->kids);
}

static void array_free(void *data)
{
	g_array_unref(data);
}

void write_tree_start(struct write_tree *tree, struct write_file *file,
    const struct display *display)
{
	tree->file = file;
	tree->nodes = g_array_new(FALSE, TRUE, sizeof(struct node));
	g_array_set_clear_func(tree->nodes, node_clear);
	tree->of_element = g_new0(unsigned int, (size_t)display->elements + 1);
	tree->marks = g_ptr_array_new_with_free_func(array_free);
	for (unsigned int i = 0; i < display->pages->len; i++)
		g_ptr_array_add(tree->marks, g_array_new(FALSE, FALSE, sizeof(unsigned int)));
	tree->links = g_array_new(FALSE, FALSE, sizeof(unsigned int));
	(void)write_tree_add(tree, "Document", NULL, WRITE_TREE_ROOT);
}

void write_tree_free(struct write_tree *tree)
{
	g_array_unref(tree->nodes);
	g_free(tree->of_element);
	g_ptr_array_unref(tree->marks);
	g_array_unref(tree->links);
}

static void add_kid(struct write_tree *tree, unsigned int node, enum kid_kind kind,
    unsigned int value, unsigned int page)
{
	struct kid kid = { kind, value, page };

	g_array_append_val(node_at(tree, node)->kids, kid);
}

unsigned int write_tree_add(struct write_tree *tree, const char *tag, const char *alt,
    unsigned int parent)
{
	struct node node;
	unsigned int index = tree->nodes->len;

	memset(&node, 0, sizeof(node));
	node.tag = tag;
	node.alt = alt;
	node.parent = parent;
	node.kids = g_array_new(FALSE, FALSE, sizeof(struct kid));
	g_array_append_val(tree->nodes, node);
	if (index != WRITE_TREE_ROOT)
		add_kid(tree, parent, KID_NODE, index, 0);
	return index;
}

unsigned int write_tree_node(struct write_tree *tree, const struct display_element *element,
    unsigned int parent)
{
	unsigned int index = tree->of_element[element->number];

	if (index != 0)
		return index;
	index = write_tree_add(tree, element->tag, element->alt, parent);
	node_at(tree, index)->element = element;
	tree->of_element[element->number] = index;
	return index;
}

const char *write_tree_tag(const struct write_tree *tree, unsigned int node)
{
	return node_at(tree, node)->tag;
}

void write_tree_box(struct write_tree *tree, unsigned int node, const double box[4])
{
	memcpy(node_at(tree, node)->box, box, 4 * sizeof(*box));
	node_at(tree, node)->has_box = true;
}

unsigned int write_tree_mark(struct write_tree *tree, unsigned int node, unsigned int page)
{
	GArray *marks = g_ptr_array_index(tree->marks, page);

	g_array_append_val(marks, node);
	add_kid(tree, node, KID_MARK, marks->len - 1, page);
	return marks->len - 1;
}

unsigned int write_tree_link(struct write_tree *tree, unsigned int node, unsigned int page,
    unsigned int annotation)
{
	g_array_append_val(tree->links, node);
	add_kid(tree, node, KID_LINK, annotation, page);
	return tree->marks->len + tree->links->len - 1;
}

/* ---- writing ---- */

/* Children come after their parents, so that one way back finds all that have content. */
static void find_alive(struct write_tree *tree)
{
	node_at(tree, WRITE_TREE_ROOT)->alive = true;
	for (unsigned int i = tree->nodes->len; i-- > 0;) {
		struct node *node = node_at(tree, i);

		for (unsigned int k = 0; k < node->kids->len && !node->alive; k++) {
			const struct kid *kid = &g_array_index(node->kids, struct kid, k);

			node->alive = kid->kind != KID_NODE || node_at(tree, kid->value)->alive;
		}
	}
	for (unsigned int i = 0; i < tree->nodes->len; i++)
		if (node_at(tree, i)->alive)
			node_at(tree, i)->number = write_reserve(tree->file);
}

static void put_kid(GString *out, const struct write_tree *tree, const struct kid *kid,
    unsigned int own_page, const unsigned int *pages)
{
	switch (kid->kind) {
	case KID_NODE:
		if (node_at(tree, kid->value)->alive)
			put_reference(out, node_at(tree, kid->value)->number);
		return;
	case KID_LINK:
		g_string_append(out, "<</Type/OBJR/Obj");
		put_reference(out, kid->value);
		break;
	case KID_MARK:
		if (kid->page == own_page) {
			g_string_append_c(out, ' ');
			put_count(out, kid->value);
			return;
		}
		g_string_append(out, "<</Type/MCR/MCID ");
		put_count(out, kid->value);
		break;
	}
	g_string_append(out, "/Pg");
	put_reference(out, pages[kid->page]);
	g_string_append(out, ">>");
}

/* The page of a node's first own content; -1: it has none. */
static int page_of(const struct node *node)
{
	for (unsigned int i = 0; i < node->kids->len; i++) {
		const struct kid *kid = &g_array_index(node->kids, struct kid, i);

		if (kid->kind != KID_NODE)
			return (int)kid->page;
	}
	return -1;
}

static void put_attributes(GString *out, const struct node *node)
{
	const struct display_element *element = node->element;

	if (node->has_box) {
		g_string_append(out, "/A<</O/Layout/Placement/Block/BBox[");
		put_numbers(out, node->box, 4);
		g_string_append(out, "]>>");
	} else if (element != NULL && (element->rows > 1 || element->columns > 1 ||
	    strcmp(node->tag, "TH") == 0)) {
		g_string_append_printf(out, "/A<</O/Table/RowSpan %u/ColSpan %u%s>>",
		    MAX(element->rows, 1), MAX(element->columns, 1),
		    strcmp(node->tag, "TH") == 0 ? "/Scope/Column" : "");
	}
	if (element != NULL && element->language != NULL) {
		g_string_append(out, "/Lang");
		put_text(out, element->language, strlen(element->language));
	}
	if (node->alt != NULL) {
		g_string_append(out, "/Alt");
		put_text(out, node->alt, strlen(node->alt));
	}
}

static void write_node(struct write_tree *tree, const struct node *node, unsigned int parent,
    const unsigned int *pages, GString *body)
{
	int page = page_of(node);

	g_string_assign(body, "<</S");
	put_name(body, node->tag);
	g_string_append(body, "/P");
	put_reference(body, parent);
	if (page >= 0) {
		g_string_append(body, "/Pg");
		put_reference(body, pages[page]);
	}
	put_attributes(body, node);
	g_string_append(body, "/K[");
	for (unsigned int i = 0; i < node->kids->len; i++)
		put_kid(body, tree, &g_array_index(node->kids, struct kid, i),
		    page >= 0 ? (unsigned int)page : 0, pages);
	g_string_append(body, "]>>");
	write_object(tree->file, node->number, body);
}

static unsigned int number_of(const struct write_tree *tree, const GArray *nodes, unsigned int i)
{
	return node_at(tree, g_array_index(nodes, unsigned int, i))->number;
}

static void put_parents(GString *body, const struct write_tree *tree)
{
	for (unsigned int page = 0; page < tree->marks->len; page++) {
		const GArray *marks = g_ptr_array_index(tree->marks, page);

		g_string_append_c(body, ' ');
		put_count(body, page);
		g_string_append_c(body, '[');
		for (unsigned int i = 0; i < marks->len; i++)
			put_reference(body, number_of(tree, marks, i));
		g_string_append_c(body, ']');
	}
	for (unsigned int i = 0; i < tree->links->len; i++) {
		g_string_append_c(body, ' ');
		put_count(body, tree->marks->len + i);
		put_reference(body, number_of(tree, tree->links, i));
	}
}

unsigned int write_tree_end(struct write_tree *tree, const unsigned int *pages)
{
	GString *body = g_string_new(NULL);
	unsigned int root = write_reserve(tree->file);

	find_alive(tree);
	for (unsigned int i = 0; i < tree->nodes->len; i++) {
		const struct node *node = node_at(tree, i);

		if (node->alive)
			write_node(tree, node, i == WRITE_TREE_ROOT ? root :
			    node_at(tree, node->parent)->number, pages, body);
	}
	g_string_assign(body, "<</Type/StructTreeRoot/K");
	put_reference(body, node_at(tree, WRITE_TREE_ROOT)->number);
	g_string_append_printf(body, "/ParentTreeNextKey %u/ParentTree<</Nums[",
	    tree->marks->len + tree->links->len);
	put_parents(body, tree);
	g_string_append(body, "]>>>>");
	write_object(tree->file, root, body);
	g_string_free(body, TRUE);
	return root;
}
