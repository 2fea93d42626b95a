/* tar: the headers of a POSIX ustar archive, as much of it as a backup needs: plain files with short names. Sizes from
 * 8 GiB on are in GNU's base-256 form, which every tar of today reads. Private to store/. */
#ifndef STORE_TAR_H
#define STORE_TAR_H

#include <stdint.h>

#include "base/must.h"

#define TAR_BLOCK 512
#define TAR_NAME_SIZE 101
#define TAR_END (2 * TAR_BLOCK) /* zeros behind the last file */

struct tar_entry {
	char name[TAR_NAME_SIZE];
	int64_t size;
	int64_t mtime; /* seconds; not read */
};

void tar_header(const struct tar_entry *e, uint8_t out[TAR_BLOCK]);
enum tar_kind { TAR_WRONG, TAR_FILE, TAR_OVER };
/* What a block says: a plain file, the end, or nothing that a backup has. */
enum tar_kind tar_read(const uint8_t block[TAR_BLOCK], struct tar_entry *out) MUST_USE;
/* How many zeros follow a file of this size. */
int tar_padding(int64_t size);

#endif
