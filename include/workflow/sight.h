/* sight: what a look around for "is it already known?" starts from, and what it sees. */
#ifndef WORKFLOW_SIGHT_H
#define WORKFLOW_SIGHT_H

#include <stdint.h>

#include "workflow/address.h"
#include "workflow/case_file.h"

/* An open case, seen from a new one. */
struct sight {
	double metres;
	int64_t at_ms;
	struct address_key address;
	const char *reporter; /* interned; NULL: anonymous */
	uint8_t reporter_kind;
	const struct case_file *file; /* not looked at yet: reading it costs a walk through memory */
};

/* From where: a report's own place and address. */
struct viewpoint {
	_Bool located; /* 0: lat_e7 and lon_e7 mean nothing */
	int32_t lat_e7, lon_e7;
	struct address_key address;
};

#endif
