#include "jurisdiction/area_code.h"

#include <stddef.h>

#define GRID_LEAST INT64_C(100000000000000)

/* What a 12-digit code of the community, the street … is a multiple of. */
static const int64_t zeros[] = { 1, 1000, 1000000, 100000000, 10000000000 };

enum area_level area_level(int64_t code)
{
	static const enum area_level levels[] = { AREA_PROVINCE, AREA_CITY, AREA_COUNTY, AREA_STREET, AREA_COMMUNITY };

	if (code <= 0)
		return AREA_EVERYWHERE;
	if (code >= GRID_LEAST)
		return AREA_GRID;
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		if (code % zeros[4 - i] == 0)
			return levels[i];
	return AREA_COMMUNITY;
}

void area_above(int64_t code, int64_t out[AREA_LEVELS])
{
	int64_t community = code >= GRID_LEAST ? code / 1000 : code;

	out[0] = code;
	for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++)
		out[i + 1] = community / zeros[i] * zeros[i];
	out[AREA_LEVELS - 1] = 0;
}
