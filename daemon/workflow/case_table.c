/* case_table: blocks of nodes, a list of free ones, and from ids to nodes by stretches of neighbouring ids. */
#include "workflow/case_table.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)2 << 20)
#define SLOTS_FIRST 256
/* Ids of one day count up by one, so neighbours share a leaf: a new case mostly finds there the one before it, and what
 * is hashed, and moved when the table grows, are leaves and not cases. */
#define STRETCH 64

struct block {
	struct block *next;
	_Alignas(max_align_t) char nodes[];
};

struct leaf {
	uint32_t used;
	struct leaf *next; /* of the free ones */
	struct case_node *nodes[STRETCH];
};

struct slot {
	int64_t stretch;
	struct leaf *leaf; /* NULL: free */
};

struct case_table {
	size_t node_size, block_nodes;
	struct block *blocks;
	size_t fresh;           /* nodes of the newest block that were never used */
	struct case_node *free; /* used before, by their `after` */
	struct case_node *first, *last;
	struct leaf *free_leaf;
	struct slot *slots;
	size_t count, leaf_count, slot_count; /* slot_count is a power of two, at most half of it used */
};

struct case_table *case_table_new(size_t node_size)
{
	struct case_table *t = must_calloc(1, sizeof *t);

	must(node_size >= sizeof(struct case_node));
	t->node_size = (node_size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
	t->block_nodes = (BLOCK_SIZE - sizeof(struct block)) / t->node_size;
	t->slot_count = SLOTS_FIRST;
	t->slots = must_calloc(t->slot_count, sizeof *t->slots);
	return t;
}

void case_table_free(struct case_table *t)
{
	if (t == NULL)
		return;
	for (struct block *b = t->blocks, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	for (struct leaf *l = t->free_leaf, *next; l != NULL; l = next) {
		next = l->next;
		free(l);
	}
	for (size_t i = 0; i < t->slot_count; i++)
		free(t->slots[i].leaf);
	free(t->slots);
	free(t);
}

/* ---- by id ---- */

static size_t hash_of(int64_t stretch)
{
	return (size_t)((uint64_t)stretch * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

static int64_t stretch_of(int64_t id)
{
	return (int64_t)((uint64_t)id / STRETCH);
}

static size_t place_of(int64_t id)
{
	return (size_t)((uint64_t)id % STRETCH);
}

/* The stretch's slot, or the free one where it would be. */
static struct slot *slot_of(const struct case_table *t, int64_t stretch)
{
	for (size_t at = hash_of(stretch);; at++) {
		struct slot *s = &t->slots[at & (t->slot_count - 1)];

		if (s->leaf == NULL || s->stretch == stretch)
			return s;
	}
}

static void grow(struct case_table *t)
{
	struct slot *old = t->slots;
	size_t old_count = t->slot_count;

	t->slot_count *= 2;
	t->slots = must_calloc(t->slot_count, sizeof *t->slots);
	for (size_t i = 0; i < old_count; i++)
		if (old[i].leaf != NULL)
			*slot_of(t, old[i].stretch) = old[i];
	free(old);
}

/* Whoever comes behind in the same run and may stand here moves up, so that no search ends too early. */
static void vacate(struct case_table *t, struct slot *s)
{
	size_t mask = t->slot_count - 1, hole = (size_t)(s - t->slots);

	for (size_t at = (hole + 1) & mask; t->slots[at].leaf != NULL; at = (at + 1) & mask) {
		size_t wanted = hash_of(t->slots[at].stretch) & mask;

		if (((at - wanted) & mask) < ((at - hole) & mask))
			continue;
		t->slots[hole] = t->slots[at];
		hole = at;
	}
	t->slots[hole].leaf = NULL;
}

static struct leaf *take_leaf(struct case_table *t)
{
	struct leaf *l = t->free_leaf;

	if (l == NULL)
		return must_calloc(1, sizeof *l);
	t->free_leaf = l->next;
	l->next = NULL;
	return l;
}

static struct leaf *leaf_for(struct case_table *t, int64_t stretch)
{
	struct slot *s = slot_of(t, stretch);

	if (s->leaf != NULL)
		return s->leaf;
	if (t->leaf_count * 2 >= t->slot_count) {
		grow(t);
		s = slot_of(t, stretch);
	}
	*s = (struct slot){ stretch, take_leaf(t) };
	t->leaf_count++;
	return s->leaf;
}

static void forget(struct case_table *t, int64_t id)
{
	struct slot *s = slot_of(t, stretch_of(id));
	struct leaf *l = s->leaf;

	l->nodes[place_of(id)] = NULL;
	if (--l->used > 0)
		return;
	vacate(t, s);
	t->leaf_count--;
	l->next = t->free_leaf;
	t->free_leaf = l;
}

/* ---- memory ---- */

static struct case_node *take_node(struct case_table *t)
{
	struct case_node *n = t->free;

	if (n != NULL) {
		t->free = n->after;
		return n;
	}
	if (t->fresh == 0) {
		struct block *b = must_malloc(BLOCK_SIZE);

		b->next = t->blocks;
		t->blocks = b;
		t->fresh = t->block_nodes;
	}
	return (struct case_node *)(void *)(t->blocks->nodes + (t->block_nodes - t->fresh--) * t->node_size);
}

/* ---- in and out ---- */

struct case_node *case_table_add(struct case_table *t, int64_t id)
{
	struct leaf *l = leaf_for(t, stretch_of(id));
	struct case_node *n = take_node(t);

	must(l->nodes[place_of(id)] == NULL);
	memset(n, 0, t->node_size);
	l->nodes[place_of(id)] = n;
	l->used++;
	n->id = id;
	n->before = t->last;
	if (t->last != NULL)
		t->last->after = n;
	else
		t->first = n;
	t->last = n;
	t->count++;
	return n;
}

struct case_node *case_table_find(const struct case_table *t, int64_t id)
{
	const struct leaf *l = slot_of(t, stretch_of(id))->leaf;

	return l != NULL ? l->nodes[place_of(id)] : NULL;
}

void case_table_remove(struct case_table *t, struct case_node *n)
{
	forget(t, n->id);
	if (n->before != NULL)
		n->before->after = n->after;
	else
		t->first = n->after;
	if (n->after != NULL)
		n->after->before = n->before;
	else
		t->last = n->before;
	n->after = t->free;
	t->free = n;
	t->count--;
}

size_t case_table_count(const struct case_table *t)
{
	return t->count;
}

struct case_node *case_table_first(const struct case_table *t)
{
	return t->first;
}

struct case_node *case_table_last(const struct case_table *t)
{
	return t->last;
}
