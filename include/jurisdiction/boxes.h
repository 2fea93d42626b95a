/* boxes: which grid's box holds a position, without looking at more than a handful of them. The map is cut into square
 * cells; a sorted list names, for each cell, the boxes that touch it, smallest first. */
#ifndef JURISDICTION_BOXES_H
#define JURISDICTION_BOXES_H

#include <stddef.h>
#include <stdint.h>

struct grid;
struct box_entry;

struct boxes {
	struct box_entry *entries;
	size_t count;
	int64_t cell_e7; /* a cell's side in degrees × 10^7 */
};

/* Builds the index over struct grids, which outlive it. */
void boxes_build(struct boxes *b, void *const *grids, size_t count);
/* The smallest box that holds the position (edges belong to it; among equals the first of the file), or NULL. */
const struct grid *boxes_find(const struct boxes *b, int32_t lat_e7, int32_t lon_e7);
void boxes_close(struct boxes *b); /* safe twice */

#endif
