/* alarm_spans: what cameras go on seeing. A span (活动期) is one thing that a camera posts again and again until it is
 * over: found by camera, channel and category, and, where the gateway gives its alerts an id, by that id as well. It
 * outlives its case: an alarm that was dismissed, or that nobody confirmed, is still known while the camera goes on
 * posting it. Owned by the casebook; changed by facts only. */
#ifndef WORKFLOW_ALARM_SPANS_H
#define WORKFLOW_ALARM_SPANS_H

#include <stddef.h>

#include "workflow/facts.h"

/* The most that are remembered; one more, and the one that has been silent longest is forgotten. About 300 bytes each. */
#define ALARM_SPANS_MOST 100000
/* A gateway's own id is known for this long after it was last heard of; its end makes that the span's gap. */
#define ALARM_EVENT_KEPT_MS INT64_C(86400000)
/* How old its row may grow before a post renews it. */
#define ALARM_EVENT_RENEWED_MS INT64_C(3600000)
/* A case's history tells of each of the first posts, and then once in a while how many there have been. */
#define ALARM_TOLD_FIRST 8
#define ALARM_TOLD_EVERY_MS INT64_C(60000)

struct alarm_spans;

struct alarm_spans *alarm_spans_new(void) MUST_USE;
void alarm_spans_free(struct alarm_spans *s); /* NULL is fine */

/* event NULL: the one of all its alerts, whatever their ids. NULL: unknown. */
const struct alarm_span *alarm_spans_find(const struct alarm_spans *s, const char *camera, const char *channel,
                                          int32_t category, const char *event);
/* How the case of a span ended; STATE_NONE: it is open, or no span is about it. */
enum state alarm_spans_case_end(const struct alarm_spans *s, int64_t case_id);
/* How often the case's camera has posted, told or not; 0: no span is about it. */
int32_t alarm_spans_case_count(const struct alarm_spans *s, int64_t case_id);
/* The i-th of those that have been silent longest, NULL past the end. */
const struct alarm_span *alarm_spans_oldest(const struct alarm_spans *s, size_t i);
size_t alarm_spans_count(const struct alarm_spans *s);
/* The next case whose count is to be told; false: none. */
_Bool alarm_spans_next_timer(const struct alarm_spans *s, int64_t *at_ms, int64_t *case_id);

/* New, or instead of the one of the same camera, channel, category and event; its case as it is now, NULL when it has
 * none that is open. Texts are copied. */
void alarm_spans_put(struct alarm_spans *s, const struct alarm_span *one, const struct case_file *open);
/* One of the two oldest; another id does nothing. */
void alarm_spans_forget(struct alarm_spans *s, int64_t id);
/* A camera's case has changed, or ended. */
void alarm_spans_case_changed(struct alarm_spans *s, const struct case_file *file);
/* Recovery: how the case of spans that were put ended. */
void alarm_spans_restore_end(struct alarm_spans *s, int64_t case_id, enum state end);

#endif
