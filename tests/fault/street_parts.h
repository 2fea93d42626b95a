/* The street's inside: the writer's run (street.c), what stands in for its queue (street_seams.c), and the look at the
 * database after a restart (street_look.c). */
#ifndef FAULT_STREET_PARTS_H
#define FAULT_STREET_PARTS_H

#include "engine/writer.h"
#include "street.h"
#include "street_asks.h"

extern struct street {
	enum street_control control;
	char folder[128], path[160];
	struct policy *policy;
	struct dice dice;
	struct asks asks;
	struct engine_options options;
	struct writer writer;
	_Bool running;
	int rounds;    /* left */
	int exit_code; /* the writer asked for; 0: it did not */
	int64_t wall_ms, mono_us;
	int64_t published; /* newest event that anybody was told of */
	struct street_findings *findings;
	_Bool quiet;
} street;

/* The street as it was kept. */
struct kept {
	uint8_t *bytes; /* of the database */
	uint64_t size;
	struct ask *asks;
	size_t count;
	int64_t wall_ms, mono_us, published;
};

/* A command for the writer, its answer's way back in it. */
struct command *street_next(void);
void street_answered(struct command *c); /* counts it as promised if the disk was alive; frees it */
void street_time_passes(void);
/* A finding: to its count, and a line. */
void street_found_wrong(uint64_t *count, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
