/* area_code: how the codes of areas nest. 12-digit statistical codes 2+2+2+3+3 end in zeros at the upper levels; a grid's
 * 15 digits begin with its community's 12. */
#ifndef JURISDICTION_AREA_CODE_H
#define JURISDICTION_AREA_CODE_H

#include <stdint.h>

enum area_level {
	AREA_EVERYWHERE, /* code 0 */
	AREA_PROVINCE,
	AREA_CITY,
	AREA_COUNTY,
	AREA_STREET,
	AREA_COMMUNITY,
	AREA_GRID
};
#define AREA_LEVELS 7

enum area_level area_level(int64_t code);
/* The area itself (a code of any level) and every one that holds it, the deepest first, ending in 0 for everywhere. A
 * code that is not of the deepest level stands there more than once. */
void area_above(int64_t code, int64_t out[AREA_LEVELS]);

#endif
