/* address: what an address says about a place, whatever way it is written: number and street, the household's own door
 * behind it, or two streets that cross. "235 Fairmount Avenue, Apt. 4" and "235 FAIRMOUNT AVE #4" are one, as are
 * "渭阳街道渭阳西路12号3栋" and "渭阳西路 12 号 3 号楼". No gazetteer: what cannot be read is no address, not a guess. */
#ifndef WORKFLOW_ADDRESS_H
#define WORKFLOW_ADDRESS_H

#include <stdint.h>

#include "base/must.h"

#define ADDRESS_PART_SIZE 64 /* with its NUL; longer parts are cut */

/* An address in parts, in lower case and with the usual short forms; "" where there is none. */
struct address {
	char house[ADDRESS_PART_SIZE];     /* "235"; "12号3栋" */
	char household[ADDRESS_PART_SIZE]; /* "4"; "2单元501室" */
	char street[2][ADDRESS_PART_SIZE]; /* "fairmount ave"; the second only of a crossing */
};

/* Reads UTF-8 text (NULL is fine: no parts). Two streets come in the order of their letters. */
void address_read(const char *text, struct address *out);

/* The same in eight bytes, for comparing without the text. All zero: nothing was read. */
struct address_key {
	uint32_t door;   /* house and street, or both streets; 0: no door */
	uint16_t street; /* the (first) street; 0: none */
	uint16_t other;  /* of a crossing the second street, else the household; 0: none */
};
/* The highest bit of door says that it is a crossing. */
#define ADDRESS_CROSSING_BIT UINT32_C(0x80000000)

struct address_key address_key(const char *text);

/* What two addresses say about each other, nearest last. */
enum address_relation {
	ADDRESS_UNKNOWN,   /* one of them has no door, and the streets do not tell */
	ADDRESS_ELSEWHERE, /* doors of different streets */
	ADDRESS_MEETS,     /* a crossing, and something on one of its streets */
	ADDRESS_STREET,    /* the same street, other doors or no doors */
	ADDRESS_NEIGHBOUR, /* the same house, another household */
	ADDRESS_HOUSE,     /* the same house; of one the household is not known */
	ADDRESS_DOOR,      /* the same, as far as both say */
	ADDRESS_RELATIONS
};
enum address_relation address_compare(struct address_key a, struct address_key b);

#endif
