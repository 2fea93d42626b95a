#include "store/evidence_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#include <uthash.h>

/* After this many bytes the system is told to write them out, so that the sync at the end has little left to do. */
#define WRITE_OUT_EVERY (1 << 20)

/* An upload that is not whole. Its declared size is in the file's name, so that a restart knows it. */
struct partial {
	UT_hash_handle hh;
	uint8_t id[PARTIAL_ID_SIZE];
	int64_t size, have;
};

/* ---- names ---- */

static void put_hex(const uint8_t *bytes, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static _Bool get_hex(const char *text, size_t count, uint8_t *out)
{
	for (size_t i = 0; i < count; i++) {
		unsigned value;

		if (strspn(text + 2 * i, "0123456789abcdef") < 2 || sscanf(text + 2 * i, "%2x", &value) != 1)
			return 0;
		out[i] = (uint8_t)value;
	}
	return 1;
}

void evidence_path(const uint8_t sha256[EVIDENCE_DIGEST_SIZE], char out[EVIDENCE_PATH_SIZE])
{
	char hex[2 * EVIDENCE_DIGEST_SIZE + 1];

	put_hex(sha256, EVIDENCE_DIGEST_SIZE, hex);
	(void)snprintf(out, EVIDENCE_PATH_SIZE, "%.2s/%.2s/%s", hex, hex + 2, hex);
}

static void partial_name(const struct partial *p, char out[PARTIAL_NAME_SIZE])
{
	char person[33], file[2 * EVIDENCE_DIGEST_SIZE + 1];

	put_hex(p->id, 16, person);
	put_hex(p->id + 16, EVIDENCE_DIGEST_SIZE, file);
	(void)snprintf(out, PARTIAL_NAME_SIZE, "%s-%s-%" PRId64, person, file, p->size);
}

/* Persons are told apart by a digest, for an id may hold what no file name may. */
static void partial_id(struct evidence *e, const char *person, const uint8_t sha256[EVIDENCE_DIGEST_SIZE],
                       uint8_t id[PARTIAL_ID_SIZE])
{
	uint8_t digest[DIGEST_SIZE];

	digest_begin(e->digester);
	digest_add_text(e->digester, person);
	digest_end(e->digester, digest);
	memcpy(id, digest, 16);
	memcpy(id + 16, sha256, EVIDENCE_DIGEST_SIZE);
}

static _Bool read_name(const char *name, struct partial *out)
{
	long long size;
	char behind;

	if (strlen(name) < 98 || name[32] != '-' || name[97] != '-' || !get_hex(name, 16, out->id) ||
	    !get_hex(name + 33, EVIDENCE_DIGEST_SIZE, out->id + 16) || sscanf(name + 98, "%lld%c", &size, &behind) != 1)
		return 0;
	out->size = size;
	return size > 0;
}

/* ---- refusing ---- */

_Bool evidence_refuse_errno(struct refusal *why, const char *what)
{
	_Bool full = errno == ENOSPC || errno == EDQUOT;

	log_errno("evidence", "what=%s", what);
	(void)refuse(why, full ? REFUSAL_RETRY_LATER : REFUSAL_INTERNAL, full ? "disk-has-room" : "folder-works",
	             full ? "The disk is full here; what came before is kept, go on later."
	                  : "The evidence folder could not be used; tell the operator.");
	why->retry_after_ms = full ? EVIDENCE_RETRY_MS : 0;
	return 0;
}

_Bool evidence_refuse_type(struct refusal *why)
{
	return refuse(why, REFUSAL_INVALID, "type-is-taken",
	              "The bytes are no JPEG, PNG, GIF, WebP, HEIC, MP4, 3GP or QuickTime file; only those are taken.");
}

/* Leaves free_least bytes of the disk alone. */
static _Bool has_room(struct evidence *e, int64_t more, struct refusal *why)
{
	struct statvfs about;

	if (fstatvfs(e->folder, &about) == -1)
		return evidence_refuse_errno(why, "statvfs");
	if ((int64_t)about.f_bavail * (int64_t)about.f_frsize - more >= e->limits.free_least)
		return 1;
	(void)refuse(why, REFUSAL_RETRY_LATER, "disk-has-room",
	             "The disk is nearly full here; what came before is kept, go on later.");
	why->retry_after_ms = EVIDENCE_RETRY_MS;
	return 0;
}

/* ---- partials ---- */

struct partial *evidence_partial(struct evidence *e, const char *person, const uint8_t sha256[EVIDENCE_DIGEST_SIZE])
{
	uint8_t id[PARTIAL_ID_SIZE];
	struct partial *p;

	partial_id(e, person, sha256, id);
	HASH_FIND(hh, e->partials, id, sizeof id, p);
	return p;
}

int evidence_open_partial(struct evidence *e, const struct partial *p, int flags)
{
	char name[PARTIAL_NAME_SIZE];

	partial_name(p, name);
	return openat(e->partials_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, EVIDENCE_FILE_MODE);
}

void evidence_remove_partial(struct evidence *e, struct partial *p)
{
	char name[PARTIAL_NAME_SIZE];

	partial_name(p, name);
	if (unlinkat(e->partials_fd, name, 0) == -1 && errno != ENOENT)
		log_errno("evidence", "what=unlink-partial");
	e->used -= p->size;
	e->partial_count--;
	HASH_DEL(e->partials, p);
	free(p);
}

void evidence_drop_partial(struct evidence *e, const char *person, const uint8_t sha256[EVIDENCE_DIGEST_SIZE])
{
	struct partial *p = evidence_partial(e, person, sha256);

	if (p)
		evidence_remove_partial(e, p);
}

void evidence_expire_partials(struct evidence *e, int64_t before_ms)
{
	struct partial *p, *next;
	char name[PARTIAL_NAME_SIZE];
	struct stat about;

	HASH_ITER(hh, e->partials, p, next)
	{
		partial_name(p, name);
		if (fstatat(e->partials_fd, name, &about, AT_SYMLINK_NOFOLLOW) == -1 ||
		    (int64_t)about.st_mtime * 1000 < before_ms)
			evidence_remove_partial(e, p);
	}
}

static void add_partial(struct evidence *e, const struct partial *found)
{
	struct partial *p = must_calloc(1, sizeof *p);

	*p = *found;
	memset(&p->hh, 0, sizeof p->hh);
	HASH_ADD(hh, e->partials, id, sizeof p->id, p);
	e->partial_count++;
	e->used += p->size;
}

/* ---- a life ---- */

/* What an earlier run left. What is no partial of ours is left alone. */
static _Bool load_partials(struct evidence *e)
{
	int fd = dup(e->partials_fd);
	DIR *folder = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *one;

	if (!folder) {
		if (fd != -1)
			close(fd);
		return 0;
	}
	while ((one = readdir(folder)) && e->partial_count < EVIDENCE_PARTIALS_MOST) {
		struct partial p = { 0 };
		struct stat about;

		if (!read_name(one->d_name, &p) || fstatat(e->partials_fd, one->d_name, &about, AT_SYMLINK_NOFOLLOW))
			continue;
		p.have = about.st_size < p.size ? about.st_size : p.size;
		add_partial(e, &p);
	}
	closedir(folder);
	return 1;
}

static int open_folder(int at, const char *path)
{
	if (mkdirat(at, path, EVIDENCE_FOLDER_MODE) == -1 && errno != EEXIST)
		return -1;
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

struct evidence *evidence_open(const char *folder, const struct evidence_limits *limits, int64_t used, char **cause)
{
	struct evidence *e = must_calloc(1, sizeof *e);

	e->limits = *limits;
	e->used = used;
	e->digester = digester_new();
	e->folder = open_folder(AT_FDCWD, folder);
	e->partials_fd = e->folder == -1 ? -1 : open_folder(e->folder, PARTIAL_FOLDER);
	if (e->partials_fd != -1 && faccessat(e->folder, ".", W_OK | X_OK, 0) == 0 && load_partials(e) &&
	    fsync(e->folder) == 0)
		return e;
	must(asprintf(cause, "the evidence folder %s cannot be used: %s", folder, strerror(errno)) >= 0);
	evidence_close(e);
	return NULL;
}

void evidence_close(struct evidence *e)
{
	struct partial *p, *next;

	if (!e)
		return;
	HASH_ITER(hh, e->partials, p, next)
	{
		HASH_DEL(e->partials, p);
		free(p);
	}
	if (e->partials_fd != -1)
		close(e->partials_fd);
	if (e->folder != -1)
		close(e->folder);
	digester_free(e->digester);
	free(e);
}

/* ---- begin ---- */

static int64_t size_most(const struct evidence *e, enum evidence_kind kind)
{
	const struct evidence_limits *l = &e->limits;
	int64_t any = l->image_most > l->clip_most ? l->image_most : l->clip_most;

	return kind == EVIDENCE_IMAGE ? l->image_most : kind == EVIDENCE_CLIP ? l->clip_most : any;
}

static _Bool check_size(const struct evidence *e, int64_t size, enum evidence_kind kind, struct refusal *why)
{
	if (size >= 1 && size <= size_most(e, kind))
		return 1;
	return refuse(why, REFUSAL_TOO_LARGE, "file-is-small-enough",
	              "The file has %" PRId64 " bytes; 1 to %" PRId64 " are taken of this kind.", size,
	              size_most(e, kind));
}

/* How many unfinished uploads this person has, and the bytes of them. */
static int64_t count_partials(struct evidence *e, const uint8_t id[PARTIAL_ID_SIZE], int64_t *bytes)
{
	int64_t count = 0;

	*bytes = 0;
	for (struct partial *p = e->partials; p; p = p->hh.next)
		if (memcmp(p->id, id, 16) == 0) {
			count++;
			*bytes += p->size;
		}
	return count;
}

static _Bool check_shares(struct evidence *e, const struct evidence_upload *u, const uint8_t id[PARTIAL_ID_SIZE],
                          int64_t today, struct refusal *why)
{
	int64_t day_most = u->gateway ? e->limits.gateway_day_most : e->limits.day_most, bytes;

	if (count_partials(e, id, &bytes) >= e->limits.partials_most || e->partial_count >= EVIDENCE_PARTIALS_MOST)
		return refuse(why, REFUSAL_RATE_LIMITED, "unfinished-uploads-at-most",
		              "At most %" PRId64 " of your uploads may be unfinished; finish one first.",
		              e->limits.partials_most);
	if (today + bytes + u->size > day_most)
		return refuse(why, REFUSAL_RATE_LIMITED, "uploads-a-day-at-most",
		              "You may upload %" PRId64 " MiB a day; go on tomorrow.", day_most >> 20);
	if (e->used + u->size > e->limits.total_most)
		return refuse(why, REFUSAL_RATE_LIMITED, "folder-has-room",
		              "The evidence folder has reached its limit; tell the operator.");
	return has_room(e, u->size, why);
}

static _Bool make_partial(struct evidence *e, struct partial *p, struct refusal *why)
{
	char name[PARTIAL_NAME_SIZE];
	int fd;

	/* Never written over: what lies there may have got its second name already, as evidence. */
	partial_name(p, name);
	(void)unlinkat(e->partials_fd, name, 0);
	fd = evidence_open_partial(e, p, O_WRONLY | O_CREAT | O_EXCL);
	if (fd == -1)
		return evidence_refuse_errno(why, "create");
	close(fd);
	add_partial(e, p);
	return 1;
}

_Bool evidence_begin(struct evidence *e, struct evidence_upload *u, enum evidence_kind kind, int64_t today,
                     struct refusal *why)
{
	struct partial *p = evidence_partial(e, u->person, u->sha256);

	if (!check_size(e, u->size, kind, why))
		return 0;
	/* The same bytes cannot have two lengths: one of them was a mistake. */
	if (p && p->size != u->size) {
		evidence_remove_partial(e, p);
		p = NULL;
	}
	u->have = p ? p->have : 0;
	if (p)
		return 1;

	struct partial fresh = { .size = u->size };

	partial_id(e, u->person, u->sha256, fresh.id);
	return check_shares(e, u, fresh.id, today, why) && make_partial(e, &fresh, why);
}

/* ---- put ---- */

/* As soon as enough is here to tell. The first bytes decide what it is, and with that how large it may be. */
static _Bool check_head(struct evidence *e, const struct partial *p, const uint8_t *bytes, size_t length,
                        struct refusal *why)
{
	enum evidence_kind kind;

	if (p->have != 0 || (length < EVIDENCE_HEAD && (int64_t)length < p->size))
		return 1;
	if (!evidence_type(bytes, length, &kind))
		return evidence_refuse_type(why);
	return check_size(e, p->size, kind, why);
}

static _Bool write_all(struct evidence *e, struct partial *p, const uint8_t *bytes, size_t length, struct refusal *why)
{
	int fd = evidence_open_partial(e, p, O_WRONLY);
	int64_t before = p->have / WRITE_OUT_EVERY;

	if (fd == -1)
		return evidence_refuse_errno(why, "open");
	while (length > 0) {
		ssize_t done = pwrite(fd, bytes, length, p->have);

		if (done == -1 && errno == EINTR)
			continue;
		if (done <= 0) {
			(void)evidence_refuse_errno(why, "write");
			close(fd);
			return 0;
		}
		p->have += done;
		bytes += done;
		length -= (size_t)done;
	}
	if (p->have / WRITE_OUT_EVERY > before)
		(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	close(fd);
	return 1;
}

_Bool evidence_put(struct evidence *e, struct evidence_upload *u, int64_t offset, const uint8_t *bytes, size_t length,
                   struct refusal *why)
{
	struct partial *p = evidence_partial(e, u->person, u->sha256);

	if (!p)
		return refuse(why, REFUSAL_INVALID, "upload-is-begun",
		              "No upload of this file is under way; begin it first.");
	u->size = p->size;
	u->have = p->have;
	if (length == 0 || offset < 0 || offset > p->size - (int64_t)length)
		return refuse(why, REFUSAL_INVALID, "chunk-is-within-the-file",
		              "A chunk has bytes and lies within the %" PRId64 " that were declared.", p->size);
	if (offset > p->have)
		return refuse(why, REFUSAL_INVALID, "chunk-follows-what-is-here",
		              "There are %" PRId64 " bytes here; go on with that offset.", p->have);
	if (offset + (int64_t)length <= p->have)
		return 1;
	size_t known = (size_t)(p->have - offset);

	if (!check_head(e, p, bytes, length, why)) {
		evidence_remove_partial(e, p);
		return 0;
	}
	_Bool written = has_room(e, (int64_t)length, why) && write_all(e, p, bytes + known, length - known, why);

	u->have = p->have;
	return written;
}
