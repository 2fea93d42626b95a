/* replay_file: a city's 311 file in memory, with the catalogue of categories that it implies. The same file always gives
 * the same catalogue, so that what --prepare wrote fits what is replayed later. */
#ifndef CLI_REPLAY_FILE_H
#define CLI_REPLAY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "trouble.h"

#define REPLAY_ROWS_MOST 20000000
#define REPLAY_CLASSES_MOST 89 /* 90 and above are a jurisdiction's own people's matters */
#define REPLAY_SUBCLASSES_MOST 99
#define REPLAY_NUMBER_SIZE 40
#define REPLAY_LIMIT_DEFAULT_MS (INT64_C(7) * 86400000)

/* One distinct pair of category and subcategory. Pairs beyond what codes can tell apart share the last code. */
struct replay_kind {
	char *category, *subcategory;
	int class, subclass;
	int64_t limit_ms; /* median of due − created, REPLAY_LIMIT_DEFAULT_MS when no row has a due time */
	size_t rows;
	int64_t *limits; /* gathered while reading */
	size_t limit_count, limit_room;
};

enum replay_report { REPORT_UNSENT, REPORT_SENT, REPORT_KNOWN, REPORT_UNPLACED, REPORT_MERGED, REPORT_REFUSED };

struct replay_row {
	char *id, *address, *description;
	char *mark; /* what it is a duplicate of in the city's eyes, an id or a flag; NULL: nothing */
	int64_t created_ms, closed_ms; /* closed 0: still open; never before created */
	double lat, lon;
	_Bool placed;
	uint8_t reporter_kind;
	uint8_t report;                  /* enum replay_report */
	uint32_t kind;                   /* index of the replay_kind */
	char number[REPLAY_NUMBER_SIZE]; /* once the daemon has said it */
};

struct replay_file {
	struct replay_row *rows;
	size_t count, room;
	struct replay_kind *kinds;
	size_t kind_count, kind_room;
	double south, west, north, east; /* of all placed rows */
	size_t placed, closed, broken;   /* broken: rows without id or readable time, left out */
	char first_broken[160];
	_Bool apart; /* every report is to be a case of its own: nothing joins another by itself */
};

/* progress (may be NULL) gets bytes done and the file's size. */
_Bool replay_file_read(const char *path, void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
                       struct replay_file *out, struct trouble *why) MUST_USE;
void replay_file_close(struct replay_file *f); /* safe twice */

/* "E0110" */
void replay_kind_code(const struct replay_kind *k, char out[6]);
/* What the daemon shall take the source's reports for: enum reporter_kind. */
int replay_reporter_kind(const char *source);

#endif
