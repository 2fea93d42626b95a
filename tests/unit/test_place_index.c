/* Places near by, against looking at every one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/domain.h"
#include "workflow/place.h"
#include "workflow/place_index.h"

#define MANY 4000
#define LAT 343350000
#define LON 1087200000

static struct place_node nodes[MANY];

static int between(unsigned *seed, int least, int most)
{
	return least + (int)(rand_r(seed) % (unsigned)(most - least + 1));
}

static struct place_node *by_looking(int32_t category, int32_t lat, int32_t lon, double metres, int64_t since,
                                     const struct place_node *except)
{
	struct place_node *best = NULL;
	double nearest = metres;

	for (int i = 0; i < MANY; i++) {
		struct place_node *n = &nodes[i];
		double away = place_metres(lat, lon, n->lat_e7, n->lon_e7);

		if (!n->slot || n->category != category || n == except || n->at_ms < since || away > nearest ||
		    (best && away >= nearest))
			continue;
		best = n;
		nearest = away;
	}
	return best;
}

struct nearest {
	struct place_node *best;
	const struct place_node *except;
	double metres;
};

static void keep_nearest(void *ctx, const struct position *at, double metres)
{
	struct nearest *n = ctx;

	assert_true(at->at_ms == at->node->at_ms && at->reporter == at->node->reporter);
	if (at->node == n->except || (n->best && metres >= n->metres))
		return;
	n->best = at->node;
	n->metres = metres;
}

/* The nearest of what a search shows. */
static struct place_node *nearest(const struct place_index *p, int32_t category, int32_t lat, int32_t lon,
                                  double metres, int64_t since, const struct place_node *except)
{
	struct nearest n = { .except = except };

	place_index_around(p, category, lat, lon, metres, since, keep_nearest, &n);
	return n.best;
}

static void scatter(struct place_index *p, unsigned *seed, int lat, int lon)
{
	memset(nodes, 0, sizeof nodes);
	for (int i = 0; i < MANY; i++) {
		nodes[i].category = 10101 + between(seed, 0, 2);
		nodes[i].lat_e7 = lat + between(seed, -150000, 150000);
		nodes[i].lon_e7 = lon + between(seed, -150000, 150000);
		nodes[i].at_ms = between(seed, 1, 1000);
		place_index_add(p, &nodes[i]);
	}
}

static void compare(const struct place_index *p, unsigned *seed, int lat, int lon)
{
	static const double radii[] = { 0.5, 10, 30, 50, 100, 300, 1000 };

	for (int i = 0; i < 2000; i++) {
		int32_t category = 10101 + between(seed, 0, 2), at = lat + between(seed, -160000, 160000),
			on = lon + between(seed, -160000, 160000);
		double metres = radii[between(seed, 0, 6)];
		int64_t since = between(seed, 0, 1000);
		const struct place_node *except = &nodes[between(seed, 0, MANY - 1)];

		assert_ptr_equal(nearest(p, category, at, on, metres, since, except),
		                 by_looking(category, at, on, metres, since, except));
	}
}

/* Here, on the equator, and on the other side of both; while nodes come and go. */
static void test_against_looking(void **state)
{
	(void)state;
	static const int centres[][2] = { { LAT, LON }, { 0, 0 }, { -338000000, 1512000000 }, { 520000000, -1200 } };
	unsigned seed = 20261121;

	for (size_t c = 0; c < sizeof centres / sizeof *centres; c++) {
		struct place_index *p = place_index_new();

		scatter(p, &seed, centres[c][0], centres[c][1]);
		compare(p, &seed, centres[c][0], centres[c][1]);
		for (int i = 0; i < MANY; i++)
			if (between(&seed, 0, 2) != 0)
				place_index_remove(p, &nodes[i]);
		compare(p, &seed, centres[c][0], centres[c][1]);
		for (int i = 0; i < MANY; i++)
			if (!nodes[i].slot && between(&seed, 0, 1))
				place_index_add(p, &nodes[i]);
		compare(p, &seed, centres[c][0], centres[c][1]);
		place_index_free(p);
	}
}

static struct place_node at_one_place(int64_t at_ms)
{
	return (struct place_node){ .category = 10110, .lat_e7 = LAT, .lon_e7 = LON, .at_ms = at_ms };
}

/* Removed from the newest end, the oldest end and the middle. */
static void test_removal_in_any_order(void **state)
{
	(void)state;
	static const int orders[][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 2, 0, 3 }, { 2, 1, 3, 0 } };

	for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
		struct place_index *p = place_index_new();
		struct place_node n[4];

		for (int i = 0; i < 4; i++) {
			n[i] = at_one_place(i + 1);
			place_index_add(p, &n[i]);
		}
		for (int i = 0; i < 4; i++) {
			place_index_remove(p, &n[orders[o][i]]);
			place_index_remove(p, &n[orders[o][i]]);
			assert_false(n[orders[o][i]].slot);

			const struct place_node *left = nearest(p, 10110, LAT, LON, 10, 0, NULL);

			assert_int_equal(left != NULL, i < 3);
			assert_true(left == NULL || left->slot);
		}
		place_index_free(p);
	}
}

/* A place where everything is reported does not make every report slow: the newest are looked at, also after growth. */
static void test_a_crowd_shows_its_newest(void **state)
{
	(void)state;
	struct place_index *p = place_index_new();

	for (int i = 0; i < MANY; i++) {
		nodes[i] = at_one_place(i);
		nodes[i].lon_e7 += i < PLACE_LOOK_MOST ? 0 : 100; /* the old ones are the nearest */
		place_index_add(p, &nodes[i]);
	}
	const struct place_node *found = nearest(p, 10110, LAT, LON, 30, 0, NULL);

	assert_non_null(found);
	assert_true(found->at_ms >= MANY - PLACE_LOOK_MOST);
	place_index_free(p);
	place_index_free(NULL);
}

static void test_the_edges_of_the_world(void **state)
{
	(void)state;
	struct place_index *p = place_index_new();
	struct place_node n = { .category = 10110, .lat_e7 = 900000000, .lon_e7 = 1800000000, .at_ms = 1 };

	place_index_add(p, &n);
	assert_ptr_equal(nearest(p, 10110, 900000000, 1800000000, 50, 0, NULL), &n);
	assert_null(nearest(p, 10110, -900000000, -1800000000, 50, 0, NULL));
	assert_null(nearest(p, 10110, 900000000, 1800000000, 50, 2, NULL));
	place_index_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_looking),
		cmocka_unit_test(test_removal_in_any_order),
		cmocka_unit_test(test_a_crowd_shows_its_newest),
		cmocka_unit_test(test_the_edges_of_the_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
