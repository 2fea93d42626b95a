#include "replay_points.h"

#include <stdlib.h>

#include "workflow/address.h"

struct spot {
	double lat, lon;
	uint32_t door; /* 0: the row names none */
};

static int compare_spots(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	if (x->lat != y->lat)
		return x->lat < y->lat ? -1 : 1;
	if (x->lon != y->lon)
		return x->lon < y->lon ? -1 : 1;
	return (x->door > y->door) - (x->door < y->door);
}

/* Rows on the spot that begins here, and how many doors they name; without an address each could be anywhere. */
static size_t run_length(const struct spot *s, size_t count, size_t *doors)
{
	size_t n = 0;

	for (*doors = 0; n < count && s[n].lat == s->lat && s[n].lon == s->lon; n++)
		*doors += s[n].door == 0 || n == 0 || s[n].door != s[n - 1].door;
	return n;
}

static size_t keep_point(struct replay_point out[REPLAY_POINTS_MOST], size_t found, const struct spot *s, size_t rows)
{
	size_t at = found < REPLAY_POINTS_MOST ? found : REPLAY_POINTS_MOST - 1;

	if (found == REPLAY_POINTS_MOST && out[at].rows >= rows)
		return found;
	for (; at > 0 && out[at - 1].rows < rows; at--)
		out[at] = out[at - 1];
	out[at] = (struct replay_point){ s->lat, s->lon, rows };
	return found < REPLAY_POINTS_MOST ? found + 1 : found;
}

size_t replay_points(const struct replay_file *f, struct replay_point out[REPLAY_POINTS_MOST])
{
	struct spot *spots = must_calloc(f->count + 1, sizeof *spots);
	size_t count = 0, found = 0, doors;

	for (size_t i = 0; i < f->count; i++)
		if (f->rows[i].placed)
			spots[count++] =
				(struct spot){ f->rows[i].lat, f->rows[i].lon, address_key(f->rows[i].address).door };
	qsort(spots, count, sizeof *spots, compare_spots);
	for (size_t at = 0, n; at < count; at += n) {
		n = run_length(spots + at, count - at, &doors);
		if (n >= REPLAY_POINT_ROWS && doors >= n / 2)
			found = keep_point(out, found, spots + at, n);
	}
	free(spots);
	return found;
}
