/* replay_run: a 311 file through a running daemon, in the order it happened.
 *
 * The replay clock may never pass a moment that was not sent. One connection's commands are taken in the order they were
 * sent, so everything that the city does (reports, signs, handles) goes down one connection, each command carrying its
 * own moment, many at a time. The checker must be somebody else, and a connection has one identity. So time is cut into
 * windows, each ending an hour after the first case in it was handled: when all that the city did in a window is
 * answered, the checker makes a round and passes what was handled in it, at the window's last moment; only when that is
 * answered does the next window begin. The prepared policy allows that hour for a check. */
#ifndef CLI_REPLAY_RUN_H
#define CLI_REPLAY_RUN_H

#include "replay_lane.h"

#define REPLAY_WINDOW_MS (INT64_C(60) * 60000)
#define REPLAY_WINDOW_OPS_MOST 8192

struct replay_options {
	const char *server;
	const char *redis; /* NULL: the TCP door */
	int depth;
	int64_t window_ms;
};

/* One line of numbers for people and scripts comes from this. */
struct replay_result {
	struct replay_tally tally;
	int64_t received, archived, open, closed, merged;
	int64_t located, outside, to_be_located; /* what the reports' positions were worth */
};

_Bool replay_run(struct replay_file *f, const struct replay_options *o,
                 void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx, struct replay_result *out,
                 struct trouble *why) MUST_USE;

/* Every moment of the file in order: reports when created, signing and handling when closed. Heap. */
struct replay_op *replay_moments(const struct replay_file *f, size_t *count) MUST_USE;
/* How many of the moments from the first on belong to one window, which ends window_ms behind the first case handled. */
size_t replay_window(const struct replay_op *moments, size_t count, int64_t window_ms);

#endif
