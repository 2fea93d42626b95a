/* case_table: the open cases' own memory, by id and in the order of opening. A street's new cases come by the hundred
 * thousand, so each has a place in a large block: malloc would put them between whatever else is made meanwhile, and
 * every one would touch memory that nobody has used yet. What is stored begins with a struct case_node and never moves. */
#ifndef WORKFLOW_CASE_TABLE_H
#define WORKFLOW_CASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

struct case_node {
	int64_t id;
	struct case_node *before, *after; /* in the order of opening; NULL: the first, the last */
};

struct case_table;

/* node_size: of all that begins with the node. */
struct case_table *case_table_new(size_t node_size) MUST_USE;
void case_table_free(struct case_table *t); /* NULL is fine */
/* Zeroed but for the node; the id must not be there yet. */
struct case_node *case_table_add(struct case_table *t, int64_t id);
struct case_node *case_table_find(const struct case_table *t, int64_t id); /* NULL: not there */
void case_table_remove(struct case_table *t, struct case_node *n);
size_t case_table_count(const struct case_table *t);
struct case_node *case_table_first(const struct case_table *t); /* the oldest; NULL: none */
struct case_node *case_table_last(const struct case_table *t);

#endif
