#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/connection.h"
#include "store/evidence_parts.h"
#include "store/outlet.h"
#include "store/snapshot.h"
#include "store/tar.h"

#define BLOCK (64 * 1024)

struct backup {
	const struct backup_options *options;
	struct backup_report *report;
	struct outlet outlet;
	char *copy; /* path of the database's copy */
	_Bool own;  /* the copy is a file of its own, not the outlet's */
};

/* ---- the copy ---- */

/* Without evidence a file is copied into its .part at once; whatever else is to come needs the copy beside it. */
static _Bool place_copy(struct backup *b, char **cause)
{
	const struct backup_options *o = b->options;
	char *folder;
	int fd;

	b->own = !o->to || o->evidence;
	if (!b->own) {
		b->copy = must_strdup(b->outlet.part);
		return 1;
	}
	folder = o->to ? outlet_folder(o->to) : must_strdup(o->scratch);
	must(asprintf(&b->copy, "%s/gridloop-backup-XXXXXX", folder) >= 0);
	free(folder);
	fd = mkostemp(b->copy, O_CLOEXEC);
	if (fd == -1) {
		b->own = 0;
		return outlet_failed(cause, "cannot make", b->copy);
	}
	(void)close(fd);
	return 1;
}

static _Bool prove(struct backup *b, char **cause)
{
	struct verify_report *proof = &b->report->proof;

	if (b->options->unproved)
		return 1;
	if (!verify_database(b->copy, NULL, NULL, proof, cause))
		return 0;
	for (int i = 0; i < proof->count; i++)
		if (proof->checks[i].broken != 0) {
			must(asprintf(cause, "what %s holds is damaged (%s: %s): restore an earlier backup",
			              b->options->database, proof->checks[i].name, proof->checks[i].first) >= 0);
			return 0;
		}
	return 1;
}

/* ---- the tar ---- */

static _Bool put_header(struct backup *b, const char *name, int64_t size, char **cause)
{
	struct clock clock = clock_system();
	struct tar_entry e = { .size = size, .mtime = clock.wall_ms(clock.ctx) / 1000 };
	uint8_t block[TAR_BLOCK];

	(void)snprintf(e.name, sizeof e.name, "%s", name);
	tar_header(&e, block);
	return outlet_write(&b->outlet, block, sizeof block, cause);
}

static _Bool put_zeros(struct backup *b, int64_t count, char **cause)
{
	static const uint8_t zeros[TAR_END];

	while (count > 0) {
		size_t now = count < (int64_t)sizeof zeros ? (size_t)count : sizeof zeros;

		if (!outlet_write(&b->outlet, zeros, now, cause))
			return 0;
		count -= (int64_t)now;
	}
	return 1;
}

/* What the archive has of an entry must be as long as its header says, even if the file is not any more. */
static _Bool put_file(struct backup *b, int fd, const char *name, int64_t size, uint8_t digest[DIGEST_SIZE],
                      char **cause)
{
	struct digester *d = digester_new();
	char bytes[BLOCK];
	int64_t left = size, got = 1;
	_Bool written = name == NULL || put_header(b, name, size, cause);

	digest_begin(d);
	while (written && left > 0 && got > 0) {
		got = outlet_take(fd, bytes, left < BLOCK ? (size_t)left : BLOCK);
		if (got <= 0)
			break;
		digest_add(d, bytes, (size_t)got);
		written = outlet_write(&b->outlet, bytes, (size_t)got, cause);
		left -= got;
	}
	digest_end(d, digest);
	digester_free(d);
	return written && put_zeros(b, left + (name ? tar_padding(size) : 0), cause);
}

/* The copy itself, with a header or alone. */
static _Bool put_copy(struct backup *b, const char *name, char **cause)
{
	uint8_t digest[DIGEST_SIZE];
	char hex[DIGEST_TEXT_SIZE], line[DIGEST_TEXT_SIZE + sizeof BACKUP_DATABASE + 4];
	struct stat about;
	int fd = open(b->copy, O_RDONLY | O_CLOEXEC);
	_Bool done = fd != -1 && fstat(fd, &about) == 0;

	if (!done)
		(void)outlet_failed(cause, "cannot read", b->copy);
	done = done && put_file(b, fd, name, about.st_size, digest, cause);
	if (fd != -1)
		(void)close(fd);
	if (!done || !name)
		return done;
	digest_text(digest, hex);
	(void)snprintf(line, sizeof line, "%s  " BACKUP_DATABASE "\n", hex);
	return put_header(b, BACKUP_DIGEST, (int64_t)strlen(line), cause) &&
	       outlet_write(&b->outlet, line, strlen(line), cause) &&
	       put_zeros(b, tar_padding((int64_t)strlen(line)), cause);
}

/* ---- evidence ---- */

static void note_missing(struct backup *b, const char *name, const char *what)
{
	struct backup_report *r = b->report;

	if (r->files_missing++ == 0)
		(void)snprintf(r->first_missing, sizeof r->first_missing, "%s %s", name, what);
}

/* Read twice, so that an archive never has bytes that are not what their name says. */
static _Bool has_its_digest(int fd, const uint8_t sha256[EVIDENCE_DIGEST_SIZE])
{
	struct digester *d = digester_new();
	uint8_t digest[DIGEST_SIZE];
	char bytes[BLOCK];
	int64_t got;

	digest_begin(d);
	while ((got = outlet_take(fd, bytes, sizeof bytes)) > 0)
		digest_add(d, bytes, (size_t)got);
	digest_end(d, digest);
	digester_free(d);
	return got == 0 && memcmp(digest, sha256, sizeof digest) == 0 && lseek(fd, 0, SEEK_SET) == 0;
}

/* A file that no case has named may be gone by now, and nobody misses it: a restore forgets its row. */
static _Bool put_evidence(struct backup *b, const uint8_t sha256[EVIDENCE_DIGEST_SIZE], _Bool named, char **cause)
{
	char path[EVIDENCE_PATH_SIZE], name[sizeof BACKUP_EVIDENCE + EVIDENCE_PATH_SIZE], *whole = NULL;
	uint8_t digest[DIGEST_SIZE];
	struct stat about = { 0 };
	_Bool done = 1;

	evidence_path(sha256, path);
	(void)snprintf(name, sizeof name, BACKUP_EVIDENCE "%s", path);
	must(asprintf(&whole, "%s/%s", b->options->evidence, path) >= 0);
	int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	free(whole);
	if (fd == -1 || fstat(fd, &about) == -1 || !S_ISREG(about.st_mode)) {
		if (named)
			note_missing(b, path, "is not there");
	} else if (!has_its_digest(fd, sha256)) {
		note_missing(b, path, "has other bytes than its name says");
	} else {
		done = put_file(b, fd, name, about.st_size, digest, cause);
		b->report->files++;
		b->report->file_bytes += about.st_size;
	}
	if (fd != -1)
		(void)close(fd);
	return done;
}

/* The rows of the copy say which files belong to it. The daemon removes only files without a row, and rows only of files
 * that nobody has named for days, so what is named here is still there. */
static _Bool put_all_evidence(struct backup *b, char **cause)
{
	struct connection c;
	sqlite3_stmt *st = NULL;
	_Bool done = 1;
	int result = SQLITE_DONE;

	if (!connection_open(&c, b->copy, NULL, CONNECTION_READ, NULL, 0, cause))
		return 0;
	if (sqlite3_prepare_v2(c.db, "SELECT sha256, max(named) FROM evidence GROUP BY sha256", -1, &st, NULL) ==
	    SQLITE_OK)
		while (done && (result = sqlite3_step(st)) == SQLITE_ROW)
			if (sqlite3_column_bytes(st, 0) == EVIDENCE_DIGEST_SIZE)
				done = put_evidence(b, sqlite3_column_blob(st, 0), column_int(st, 1) != 0, cause);
	if (done && (!st || result != SQLITE_DONE)) {
		*cause = connection_cause(&c, b->copy);
		done = 0;
	}
	(void)sqlite3_finalize(st);
	connection_close(&c);
	return done;
}

/* ---- all of it ---- */

static _Bool deliver(struct backup *b, char **cause)
{
	const struct backup_options *o = b->options;

	if (!b->own)
		return outlet_read_back(&b->outlet, cause);
	if (!o->evidence)
		return put_copy(b, NULL, cause);
	return put_copy(b, BACKUP_DATABASE, cause) && put_all_evidence(b, cause) && put_zeros(b, TAR_END, cause);
}

/* A backup onto the database itself would end both. */
static _Bool target_is_fit(const struct backup_options *o, char **cause)
{
	struct stat source, target;

	if (!o->to || stat(o->to, &target) == -1)
		return 1;
	if (!S_ISREG(target.st_mode))
		must(asprintf(cause, "%s is no plain file; name a file that is to be made, or - for a pipe", o->to) >=
		     0);
	else if (stat(o->database, &source) == 0 && source.st_ino == target.st_ino && source.st_dev == target.st_dev)
		must(asprintf(cause, "%s is the database itself", o->to) >= 0);
	else
		return 1;
	return 0;
}

_Bool backup_make(const struct backup_options *o, struct backup_report *out, char **cause)
{
	struct backup b = { .options = o, .report = out, .outlet = { .fd = -1 } };
	_Bool done;

	*out = (struct backup_report){ 0 };
	done = target_is_fit(o, cause) && outlet_open(&b.outlet, o->to, o->fd, cause) && place_copy(&b, cause) &&
	       snapshot_copy(o, b.copy, cause) && snapshot_describe(b.copy, out, cause) && prove(&b, cause) &&
	       deliver(&b, cause) && outlet_finish(&b.outlet, out->digest, cause);
	out->bytes = b.outlet.bytes;
	if (b.own)
		(void)unlink(b.copy);
	free(b.copy);
	outlet_close(&b.outlet);
	return done;
}
