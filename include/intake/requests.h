/* requests: the table of everything that a client may ask, one row a body of ClientFrame. session.h serves a frame by it;
 * here is what a test needs that proves that every request has its rights. */
#ifndef INTAKE_REQUESTS_H
#define INTAKE_REQUESTS_H

#include <stddef.h>

#include "jurisdiction/rights.h"

#define REQUEST_RIGHTS 2 /* most that one request may need: what is asked within it decides which */

/* The rights of this body's request, RIGHT_NONE behind the last; false: it has no row. An action's are its act's. */
_Bool request_rights(size_t body, enum right rights[REQUEST_RIGHTS]);

#endif
