/* case_people: whom a case is about, beside a row that quotes people's words: what must be taken out of them for who is not to
 * know. */
#ifndef STORE_CASE_PEOPLE_H
#define STORE_CASE_PEOPLE_H

#include "base/must.h"

struct case_people {
	const char *reporter; /* account; who sent it, when it is anonymous; NULL: a camera did */
	_Bool anonymous;
	const char *beneficiary, *contact_name; /* NULL: none, or there are no words to take them out of */
};

#endif
