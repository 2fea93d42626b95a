#include "jurisdiction/boxes.h"

#include <stdlib.h>

#include "base/must.h"
#include "jurisdiction/policy.h"

#define CELL_LEAST_E7 20000     /* 0.002 degrees, some 200 m: about a grid's size in a town */
#define ENTRIES_PER_BOX_MOST 64 /* on average; larger boxes get larger cells */

struct box_entry {
	int64_t cell;
	int64_t area; /* of the box, for the order within a cell */
	size_t order; /* of the grid in its file */
	const struct grid *grid;
};

struct cells {
	int64_t south, west, north, east; /* inclusive */
};

static int64_t cell_of(int64_t e7, int64_t side)
{
	return e7 / side - (e7 % side < 0);
}

static struct cells cells_of(const struct grid *g, int64_t side)
{
	return (struct cells){ cell_of(g->south_e7, side), cell_of(g->west_e7, side), cell_of(g->north_e7, side),
		               cell_of(g->east_e7, side) };
}

/* Row and column in one number; there are fewer than 2^20 either way at the least side. */
static int64_t cell_key(int64_t row, int64_t column)
{
	return row * (INT64_C(1) << 32) + column;
}

static size_t count_entries(void *const *grids, size_t count, int64_t side)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		struct cells c = cells_of(grids[i], side);

		sum += (size_t)((c.north - c.south + 1) * (c.east - c.west + 1));
	}
	return sum;
}

static int compare_entries(const void *left, const void *right)
{
	const struct box_entry *a = left, *b = right;

	if (a->cell != b->cell)
		return a->cell < b->cell ? -1 : 1;
	if (a->area != b->area)
		return a->area < b->area ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static void add_box(struct boxes *b, const struct grid *g, size_t order)
{
	struct cells c = cells_of(g, b->cell_e7);
	int64_t area = ((int64_t)g->north_e7 - g->south_e7) * ((int64_t)g->east_e7 - g->west_e7);

	for (int64_t row = c.south; row <= c.north; row++)
		for (int64_t column = c.west; column <= c.east; column++)
			b->entries[b->count++] = (struct box_entry){ cell_key(row, column), area, order, g };
}

void boxes_build(struct boxes *b, void *const *grids, size_t count)
{
	*b = (struct boxes){ .cell_e7 = CELL_LEAST_E7 };
	while (count_entries(grids, count, b->cell_e7) > count * ENTRIES_PER_BOX_MOST)
		b->cell_e7 *= 2;
	b->entries = must_calloc(count_entries(grids, count, b->cell_e7), sizeof *b->entries);
	for (size_t i = 0; i < count; i++)
		add_box(b, grids[i], i);
	qsort(b->entries, b->count, sizeof *b->entries, compare_entries);
}

/* Where the cell's entries begin, or would. */
static size_t first_of(const struct boxes *b, int64_t cell)
{
	size_t low = 0, high = b->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->entries[middle].cell < cell)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static _Bool holds(const struct grid *g, int32_t lat_e7, int32_t lon_e7)
{
	return lat_e7 >= g->south_e7 && lat_e7 <= g->north_e7 && lon_e7 >= g->west_e7 && lon_e7 <= g->east_e7;
}

const struct grid *boxes_find(const struct boxes *b, int32_t lat_e7, int32_t lon_e7)
{
	if (b->count == 0)
		return NULL;

	int64_t cell = cell_key(cell_of(lat_e7, b->cell_e7), cell_of(lon_e7, b->cell_e7));

	for (size_t i = first_of(b, cell); i < b->count && b->entries[i].cell == cell; i++)
		if (holds(b->entries[i].grid, lat_e7, lon_e7))
			return b->entries[i].grid;
	return NULL;
}

void boxes_close(struct boxes *b)
{
	free(b->entries);
	*b = (struct boxes){ 0 };
}
