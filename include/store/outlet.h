/* outlet: where a file that is being made goes: under a name of its own ("PATH.part") until it is whole and on disk, then
 * in one step to its place; or straight into a pipe. Keeps the SHA-256 of what went through. Private to store/. */
#ifndef STORE_OUTLET_H
#define STORE_OUTLET_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/must.h"

#define OUTLET_MODE 0600 /* what people reported is in it */

/* Zeroed: nothing is open. */
struct outlet {
	char *path, *part; /* NULL: a pipe */
	int fd;
	struct digester *digester;
	int64_t bytes; /* that went through or were looked at */
};

/* Makes path's .part anew and locks it; a leftover of a run that was killed is used again. path NULL: writes into fd, which
 * stays the caller's. false with *cause (heap). */
_Bool outlet_open(struct outlet *o, const char *path, int fd, char **cause) MUST_USE;
_Bool outlet_write(struct outlet *o, const void *bytes, size_t length, char **cause) MUST_USE;
/* Instead of writing: what somebody else has written into the .part counts as gone through. */
_Bool outlet_read_back(struct outlet *o, char **cause) MUST_USE;
/* Syncs, renames and has the new name on disk. digest is filled for a pipe too. */
_Bool outlet_finish(struct outlet *o, char digest[DIGEST_TEXT_SIZE], char **cause) MUST_USE;
/* Removes what was not finished. Safe twice. */
void outlet_close(struct outlet *o);

/* Whole reads and writes. length bytes, fewer at the end of the file, -1 with errno. */
int64_t outlet_take(int fd, void *bytes, size_t length);
/* The folder that a path lies in, on the heap. */
char *outlet_folder(const char *path) MUST_USE;
/* Has the names in the path's folder on disk; false with errno. */
_Bool outlet_sync_folder(const char *path) MUST_USE;
/* false with *cause (heap) made of errno. */
_Bool outlet_failed(char **cause, const char *what, const char *path);

#endif
