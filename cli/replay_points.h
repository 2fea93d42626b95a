/* replay_points: positions that a city's file gives to what it could not place. */
#ifndef CLI_REPLAY_POINTS_H
#define CLI_REPLAY_POINTS_H

#include <stddef.h>

#include "replay_file.h"

#define REPLAY_POINTS_MOST 16
#define REPLAY_POINT_ROWS 100 /* so many reports on one position, of half as many doors, cannot all be there */

struct replay_point {
	double lat, lon;
	size_t rows;
};

/* How many were found, most rows first. */
size_t replay_points(const struct replay_file *f, struct replay_point out[REPLAY_POINTS_MOST]);

#endif
