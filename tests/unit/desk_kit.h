/* desk_kit: the pure workflow on the sample street with a clock held by the test: commands in, facts applied. */
#ifndef TESTS_DESK_KIT_H
#define TESTS_DESK_KIT_H

#include "base/digest.h"
#include "jurisdiction/policy.h"
#include "workflow/decide.h"

#define DESK_START_MS INT64_C(1795222800000) /* 2026-11-21 09:00 in China */
#define DESK_LAT 343350000                   /* in the first grid of the first community */
#define DESK_LON 1086915000

struct desk {
	struct policy *policy;
	struct casebook *book;
	struct digester *digester;
	struct facts facts;
	int64_t now_ms;
	int keys;
	struct outcome outcome; /* of the last command */
};

void desk_open(struct desk *d);
void desk_close(struct desk *d);
/* The same as CMocka's set-up and teardown, with the desk as the test's prestate. */
int desk_begin_test(void **desk);
int desk_end_test(void **desk);
/* Judges it, applies it when accepted. c.key zero: none. */
_Bool desk_do(struct desk *d, struct command c);
/* A report with a key of its own; its id. The case must be opened. */
int64_t desk_submit(struct desk *d, const char *who, int32_t category, int32_t lat_e7, int32_t lon_e7);
/* An action that needs no more than words, photos of before and after, and a rating; it must be accepted. */
void desk_act(struct desk *d, const char *who, enum act act, int64_t id);
/* Lets time go on to then; timers fire on the way. The number that did. */
int desk_wait(struct desk *d, int64_t span_ms);
/* From FILED-and-dispatched to CLOSED. */
void desk_settle(struct desk *d, int64_t id, const char *handler, const char *checker);

#endif
