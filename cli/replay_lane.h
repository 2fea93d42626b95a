/* replay_lane: one identity's connection during a replay. It sends a list of commands many at a time and sees each one
 * through: sent again when the connection was lost or the daemon asked for later, judged by the case itself when the
 * daemon says the step cannot start. Every command carries a key made of the file's id, so sending twice does nothing. */
#ifndef CLI_REPLAY_LANE_H
#define CLI_REPLAY_LANE_H

#include "client.h"
#include "replay_file.h"

enum replay_step { STEP_REPORT, STEP_FILE, STEP_SIGN, STEP_HANDLED, STEP_CHECK, STEP_PASS, STEP_COUNT };
enum replay_fate { FATE_WAITING, FATE_SENT, FATE_DONE, FATE_DOUBT, FATE_REFUSED, FATE_SKIPPED };

struct replay_op {
	int64_t at_ms; /* where the replay clock moves to; 0: nowhere */
	uint32_t row;
	uint8_t step, fate;
};

struct replay_tally {
	int64_t commands; /* answered for good */
	int64_t again;    /* of these, known already */
	int64_t refused;  /* the case cannot take the step */
	int64_t skipped;  /* steps of cases whose report was refused */
	int64_t resent;   /* sent more than once */
	int64_t windows;
	int64_t took_ms;
	char first_refusal[700];
};

#define LANE_DEPTH_MOST 4096
#define LANE_TRIES 8 /* pauses of 0.25 s doubling: half a minute for a daemon to come back */

struct lane {
	struct login login;
	struct client *client; /* NULL: to be opened */
	struct replay_file *file;
	struct replay_tally *tally;
	int depth;
	_Bool asks; /* reports came in by another door; sending them again only asks for their numbers */
};

/* Until no op waits any more. false: the daemon cannot be reached, or keeps asking for later. */
_Bool lane_run(struct lane *l, struct replay_op *ops, size_t count, struct trouble *why) MUST_USE;
void lane_close(struct lane *l); /* safe twice */

/* The report of a row; what it points into lives in *parts. */
struct replay_report_parts {
	wire_report report;
	wire_place place;
	wire_reporter reporter;
	struct uuid key;
	char code[6];
};
void replay_report_fill(const struct replay_file *f, const struct replay_row *row, struct replay_report_parts *parts);

#endif
