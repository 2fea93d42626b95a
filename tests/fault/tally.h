/* tally: what every harness of this folder says and how. Options --seed, --count, --first, --long; runs in forked children
 * so that a crash is counted and the rest goes on, told once a minute, and ended by SIGTERM without losing what was counted; controls
 * that must fail; one line of JSON at the end. */
#ifndef FAULT_TALLY_H
#define FAULT_TALLY_H

#include <stdint.h>

#include "base/must.h"

#define TALLY_CONTROLS_MOST 8

struct tally_counts {
	uint64_t runs, acknowledged, lost, doubled, integrity_errors, crashes;
};

struct tally {
	const char *name;
	uint64_t seed, first, count; /* count 0: the harness's own */
	_Bool is_long, quiet, only;  /* only: one part, named by --only */
	const char *part;
	struct tally_counts counts;
	struct {
		const char *name;
		uint64_t found;
	} controls[TALLY_CONTROLS_MOST];
	int control_count;
	double began;
};

/* The options, and a first line that says what can be given again. Ends the process on a mistake. */
void tally_begin(struct tally *t, const char *name, int argc, char **argv);
/* Whether this part was asked for: all are unless --only names one. */
_Bool tally_wants(const struct tally *t, const char *part);

/* Runs first to first + count - 1 in children, each of which does a stretch: prepare, run…, finish. A child that dies ends
 * its run as a crash and another goes on behind it. The counts of all are added to *sum. */
struct tally_work {
	void (*prepare)(void *ctx);
	void (*run)(void *ctx, uint64_t number, struct tally_counts *counts);
	void (*finish)(void *ctx);
	void *ctx;
	uint64_t stretch; /* runs of a child */
	_Bool quiet;      /* crashes are expected */
	/* not NULL: no further runs once it says so */
	_Bool (*enough)(const struct tally_counts *counts);
};
void tally_run(const struct tally_work *w, uint64_t first, uint64_t count, struct tally_counts *sum);

/* A control: found is how often what is wrong with it was found. */
void tally_control(struct tally *t, const char *name, uint64_t found);
/* What is wrong with what is there. A crash is not among it: a control that only crashed has shown nothing. */
_Bool tally_has_found(const struct tally_counts *c);
uint64_t tally_found(const struct tally_counts *c);
/* Prints the line; what to exit with. */
int tally_end(struct tally *t) MUST_USE;

#endif
