/* doubt 存疑: why points are not paid by themselves but wait for a supervisor. A doubt accuses nobody and stops nothing:
 * the matter is handled like any other, only its reward is looked at by a person. Points are money, and these are the
 * ways in which people have earned them without finding anything (domain 6; docs/operations.md, "Points in doubt"). */
#ifndef WORKFLOW_DOUBT_H
#define WORKFLOW_DOUBT_H

#include <stdint.h>

#include "base/must.h"

/* Bits; the numbers are the database's. */
enum doubt {
	DOUBT_AGAIN = 1 << 0,     /* this reporter has earned at this place, in this category, again and again */
	DOUBT_HOUSEHOLD = 1 << 1, /* reporter and handler are of one household, one unit, or the same person */
	DOUBT_BURST = 1 << 2,     /* one of many reports of one reporter just before a shift ends */
	DOUBT_PHOTO = 1 << 3      /* a photo of the report looks like one of another case */
};
#define DOUBT_BITS 4

const char *doubt_name(enum doubt one_bit); /* "again" */
/* "again,photo": the names of these bits. */
#define DOUBT_NAMES_SIZE 48
void doubt_names(uint8_t bits, char out[DOUBT_NAMES_SIZE]);

struct decision;

/* A report has been taken: what can be seen at once. */
void doubt_look_at_report(struct decision *d);
/* The case is being reviewed: what can be seen now. true: its points wait for a supervisor. */
_Bool doubt_look_at_reward(struct decision *d);
/* How many reports a reporter may still send today; refuses when none. */
_Bool doubt_day_guard(struct decision *d) MUST_USE;

#endif
