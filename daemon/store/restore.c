#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "store/backup.h"
#include "store/connection.h"
#include "store/evidence_parts.h"
#include "store/lock.h"
#include "store/outlet.h"
#include "store/snapshot.h"
#include "store/tar.h"

#define BLOCK (64 * 1024)
#define TREE_DESCRIPTORS 16
#define DIGEST_LINE_MOST 256
/* Of SQLite's header (sqlite.org/fileformat2.html): page size at 16, pages at 28, both big-endian. */
#define HEADER_SIZE 100

struct restore {
	const struct restore_options *options;
	struct backup_report *report;
	struct outlet outlet; /* the database */
	char *folder;         /* of evidence, while it is being made; NULL: none */
	int lock;
	uid_t owner; /* who shall own what is made */
	gid_t group;
};

PRINTF_LIKE(2, 3) static _Bool refuse_backup(char **cause, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	must(vasprintf(cause, format, args) >= 0);
	va_end(args);
	return 0;
}

static _Bool is_cut(const struct restore *r, char **cause)
{
	return refuse_backup(cause, "%s is cut: it ends before its last byte", r->options->name);
}

/* ---- reading the backup ---- */

static _Bool take(struct restore *r, void *bytes, size_t length, char **cause)
{
	int64_t got = outlet_take(r->options->fd, bytes, length);

	if (got == -1)
		return outlet_failed(cause, "cannot read", r->options->name);
	return got == (int64_t)length || is_cut(r, cause);
}

/* Bytes that must be zeros, at most a block of them. */
static _Bool take_zeros(struct restore *r, int count, char **cause)
{
	static const char zeros[TAR_BLOCK];
	char bytes[TAR_BLOCK];

	if (!take(r, bytes, (size_t)count, cause))
		return 0;
	return memcmp(bytes, zeros, (size_t)count) == 0 ||
	       refuse_backup(cause, "%s is damaged: there are bytes between its files", r->options->name);
}

/* size bytes into the outlet, and the zeros that fill their last block. */
static _Bool pass(struct restore *r, struct outlet *to, int64_t size, char **cause)
{
	char bytes[BLOCK];

	for (int64_t left = size; left > 0;) {
		size_t now = left < BLOCK ? (size_t)left : BLOCK;

		if (!take(r, bytes, now, cause) || !outlet_write(to, bytes, now, cause))
			return 0;
		left -= (int64_t)now;
	}
	return take_zeros(r, tar_padding(size), cause);
}

static _Bool read_plain(struct restore *r, const uint8_t *first, size_t length, char **cause)
{
	char bytes[BLOCK];
	int64_t got;

	if (!outlet_write(&r->outlet, first, length, cause))
		return 0;
	while ((got = outlet_take(r->options->fd, bytes, sizeof bytes)) > 0)
		if (!outlet_write(&r->outlet, bytes, (size_t)got, cause))
			return 0;
	return got == 0 || outlet_failed(cause, "cannot read", r->options->name);
}

/* ---- the tar ---- */

static _Bool is_strange(const struct restore *r, const char *name, char **cause)
{
	return refuse_backup(cause, "%s is damaged, or no backup of gridloop: found \"%.100s\" where that has no place",
	                     r->options->name, name);
}

static _Bool check_digest(struct restore *r, int64_t size, char **cause)
{
	char line[DIGEST_LINE_MOST + 1] = "", expected[DIGEST_LINE_MOST + 1], hex[DIGEST_TEXT_SIZE];
	struct digester *d = digester_new();
	uint8_t digest[DIGEST_SIZE];
	char bytes[BLOCK];
	int64_t got;

	digest_begin(d);
	if (lseek(r->outlet.fd, 0, SEEK_SET) == 0)
		while ((got = outlet_take(r->outlet.fd, bytes, sizeof bytes)) > 0)
			digest_add(d, bytes, (size_t)got);
	digest_end(d, digest);
	digester_free(d);
	digest_text(digest, hex);
	if (size > DIGEST_LINE_MOST)
		return is_strange(r, BACKUP_DIGEST, cause);
	if (!take(r, line, (size_t)size, cause) || !take_zeros(r, tar_padding(size), cause))
		return 0;
	(void)snprintf(expected, sizeof expected, "%s  " BACKUP_DATABASE "\n", hex);
	return strcmp(line, expected) == 0 ||
	       refuse_backup(cause, "%s is damaged: the database in it has not the digest that it was given",
	                     r->options->name);
}

/* "evidence/aa/bb/<64 hex>", nothing else: a name in an archive must not lead anywhere. */
static _Bool is_evidence(const char *name, uint8_t sha256[EVIDENCE_DIGEST_SIZE])
{
	char path[EVIDENCE_PATH_SIZE];
	const char *hex = name + strlen(BACKUP_EVIDENCE) + 6;

	if (strncmp(name, BACKUP_EVIDENCE, strlen(BACKUP_EVIDENCE)) != 0 ||
	    strlen(name) != strlen(BACKUP_EVIDENCE) + 70 ||
	    strspn(hex, "0123456789abcdef") != 2 * (size_t)EVIDENCE_DIGEST_SIZE)
		return 0;
	for (int i = 0; i < EVIDENCE_DIGEST_SIZE; i++)
		if (sscanf(hex + 2 * (size_t)i, "%2hhx", &sha256[i]) != 1)
			return 0;
	evidence_path(sha256, path);
	return strcmp(name + strlen(BACKUP_EVIDENCE), path) == 0;
}

static void give(const struct restore *r, const char *path)
{
	if (geteuid() == 0 && lchown(path, r->owner, r->group) == -1)
		(void)fprintf(stderr, "gridloop: %s stays root's: %s\n", path, strerror(errno));
}

/* aa and bb of "…/aa/bb/<hex>". */
static _Bool make_folders(const struct restore *r, char *path, char **cause)
{
	char *name = strrchr(path, '/'), *inner;

	*name = '\0';
	inner = strrchr(path, '/');
	*inner = '\0';
	_Bool done = mkdir(path, EVIDENCE_FOLDER_MODE) == 0 || errno == EEXIST;

	give(r, path);
	*inner = '/';
	done = done && (mkdir(path, EVIDENCE_FOLDER_MODE) == 0 || errno == EEXIST);
	give(r, path);
	if (!done)
		(void)outlet_failed(cause, "cannot make", path);
	*name = '/';
	return done;
}

static _Bool take_evidence(struct restore *r, const struct tar_entry *e, const uint8_t *sha256, char **cause)
{
	struct outlet file = { .fd = -1 };
	char hex[DIGEST_TEXT_SIZE], found[DIGEST_TEXT_SIZE], *path = NULL;

	must(asprintf(&path, "%s/%s", r->folder, e->name + strlen(BACKUP_EVIDENCE)) >= 0);
	digest_text(sha256, hex);
	_Bool done = make_folders(r, path, cause);

	if (done) {
		file.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, EVIDENCE_FILE_MODE);
		file.digester = digester_new();
		digest_begin(file.digester);
		done = (file.fd != -1 || outlet_failed(cause, "cannot make", path)) && pass(r, &file, e->size, cause);
	}
	if (file.fd != -1)
		(void)close(file.fd);
	file.fd = -1;
	if (done) {
		done = outlet_finish(&file, found, cause) &&
		       (strcmp(found, hex) == 0 ||
		        refuse_backup(cause, "%s is damaged: the bytes of %s are others", r->options->name, e->name));
		give(r, path);
		r->report->files++;
		r->report->file_bytes += e->size;
	}
	outlet_close(&file);
	free(path);
	return done;
}

static _Bool make_evidence(struct restore *r, char **cause)
{
	must(asprintf(&r->folder, "%s.part", r->options->evidence) >= 0);
	if (rmdir(r->options->evidence) == -1 && errno != ENOENT) {
		free(r->folder);
		r->folder = NULL;
		return outlet_failed(cause, "evidence must not be written over:", r->options->evidence);
	}
	if (mkdir(r->folder, EVIDENCE_FOLDER_MODE) == 0) {
		give(r, r->folder);
		return 1;
	}
	(void)refuse_backup(cause, "cannot make %s: %s%s", r->folder, strerror(errno),
	                    errno == EEXIST ? "; an interrupted restore has left it, remove it" : "");
	free(r->folder);
	r->folder = NULL;
	return 0;
}

/* The database, its digest, then evidence: in this order or not at all. */
static _Bool take_entry(struct restore *r, const struct tar_entry *e, int number, char **cause)
{
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];

	if (number == 0)
		return strcmp(e->name, BACKUP_DATABASE) == 0 ? pass(r, &r->outlet, e->size, cause)
		                                             : is_strange(r, e->name, cause);
	if (number == 1)
		return strcmp(e->name, BACKUP_DIGEST) == 0 ? check_digest(r, e->size, cause)
		                                           : is_strange(r, e->name, cause);
	return is_evidence(e->name, sha256) ? take_evidence(r, e, sha256, cause) : is_strange(r, e->name, cause);
}

static _Bool read_tar(struct restore *r, const uint8_t *first, char **cause)
{
	uint8_t block[TAR_BLOCK];
	struct tar_entry e;

	memcpy(block, first, sizeof block);
	if (!make_evidence(r, cause))
		return 0;
	for (int number = 0;; number = number < 2 ? number + 1 : 2) {
		enum tar_kind kind = tar_read(block, &e);

		if (kind == TAR_OVER && number == 2)
			return take_zeros(r, TAR_BLOCK, cause);
		if (kind != TAR_FILE)
			return is_strange(r, kind == TAR_OVER ? "its end" : "no header", cause);
		if (!take_entry(r, &e, number, cause) || !take(r, block, sizeof block, cause))
			return 0;
	}
}

/* ---- proving ---- */

static _Bool has_its_length(const struct restore *r, char **cause)
{
	uint8_t h[HEADER_SIZE];

	if (pread(r->outlet.fd, h, sizeof h, 0) != sizeof h)
		return is_cut(r, cause);
	int64_t page = h[16] << 8 | h[17];
	int64_t pages = (int64_t)h[28] << 24 | h[29] << 16 | h[30] << 8 | h[31];
	int64_t whole = (page == 1 ? 65536 : page) * pages;

	if (r->outlet.bytes < whole)
		return refuse_backup(cause, "%s is cut: the database in it has %lld bytes of %lld", r->options->name,
		                     (long long)r->outlet.bytes, (long long)whole);
	return r->outlet.bytes == whole ||
	       refuse_backup(cause, "%s is damaged: the database in it is too long", r->options->name);
}

static _Bool proves_itself(struct restore *r, char **cause)
{
	struct verify_report *proof = &r->report->proof;
	char *why = NULL;

	if (!verify_database(r->outlet.part, r->options->progress, r->options->ctx, proof, &why)) {
		(void)refuse_backup(cause, "%s cannot be restored: %s", r->options->name, why);
		free(why);
		return 0;
	}
	for (int i = 0; i < proof->count; i++)
		if (proof->checks[i].broken != 0)
			return refuse_backup(cause, "%s is damaged: %s: %s", r->options->name, proof->checks[i].name,
			                     proof->checks[i].first);
	return 1;
}

/* What the daemon was about to forget when the backup was made may have no file: it is forgotten here. A file that a
 * case names and that was missing then is missing now; that is told, for there may be no better backup. */
static _Bool settle_evidence(struct restore *r, char **cause)
{
	struct connection c;
	sqlite3_stmt *st = NULL, *forget = NULL;
	int result = SQLITE_ERROR;

	if (!r->folder)
		return 1;
	if (!connection_open(&c, r->outlet.part, NULL, CONNECTION_COPY, NULL, 0, cause))
		return 0;
	if (sqlite3_prepare_v2(c.db, "SELECT sha256, max(named) FROM evidence GROUP BY sha256", -1, &st, NULL) ==
	            SQLITE_OK &&
	    sqlite3_prepare_v2(c.db, "DELETE FROM evidence WHERE sha256 = ? AND named = 0", -1, &forget, NULL) ==
	            SQLITE_OK)
		while ((result = sqlite3_step(st)) == SQLITE_ROW) {
			const uint8_t *sha256 = sqlite3_column_blob(st, 0);
			char first;

			if (sqlite3_column_bytes(st, 0) == EVIDENCE_DIGEST_SIZE &&
			    evidence_read(r->folder, sha256, 0, (uint8_t *)&first, 1) == 1)
				continue;
			r->report->files_missing += column_int(st, 1) != 0;
			bind_bytes(forget, 1, sha256, sqlite3_column_bytes(st, 0));
			if (connection_run(forget) != SQLITE_OK)
				break;
		}
	if (result != SQLITE_DONE)
		*cause = connection_cause(&c, r->outlet.part);
	(void)sqlite3_finalize(st);
	(void)sqlite3_finalize(forget);
	connection_close(&c);
	return result == SQLITE_DONE;
}

/* ---- the place ---- */

static _Bool is_free(const char *path, const char *ending, char **cause)
{
	char *name = NULL;
	struct stat about;

	must(asprintf(&name, "%s%s", path, ending) >= 0);
	_Bool there = lstat(name, &about) == 0;

	if (there)
		(void)refuse_backup(cause, "%s exists, and a restore writes over nothing: move it away first", name);
	free(name);
	return !there;
}

/* A log that lies beside the place would be taken for that of the restored database. */
static _Bool take_place(struct restore *r, char **cause)
{
	const char *to = r->options->to;
	char *folder = outlet_folder(to), *lock = NULL;
	struct stat about;
	_Bool there = stat(folder, &about) == 0 || outlet_failed(cause, "cannot restore into", folder);

	free(folder);
	if (!there)
		return 0;
	r->owner = about.st_uid;
	r->group = about.st_gid;
	r->lock = store_lock(to, cause);
	if (r->lock == -1)
		return 0;
	must(asprintf(&lock, "%s.lock", to) >= 0);
	give(r, lock);
	free(lock);
	return is_free(to, "", cause) && is_free(to, "-wal", cause) && is_free(to, "-journal", cause) &&
	       outlet_open(&r->outlet, to, -1, cause);
}

static _Bool read_backup(struct restore *r, char **cause)
{
	static const char sqlite[16] = "SQLite format 3";
	uint8_t first[TAR_BLOCK];
	int64_t got = outlet_take(r->options->fd, first, sizeof first);
	struct tar_entry e;

	if (got == -1)
		return outlet_failed(cause, "cannot read", r->options->name);
	if (got == 0)
		return refuse_backup(cause, "%s is empty", r->options->name);
	if (got >= (int64_t)sizeof sqlite && memcmp(first, sqlite, sizeof sqlite) == 0)
		return read_plain(r, first, (size_t)got, cause);
	if (got == (int64_t)sizeof first && tar_read(first, &e) == TAR_FILE)
		return read_tar(r, first, cause);
	return refuse_backup(cause, "%s is no backup of gridloop: neither a database nor a tar of one",
	                     r->options->name);
}

static _Bool put_in_place(struct restore *r, char **cause)
{
	if (r->folder) {
		int fd = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		_Bool done = fd != -1 && syncfs(fd) == 0 && rename(r->folder, r->options->evidence) == 0;

		if (fd != -1)
			(void)close(fd);
		if (!done)
			return outlet_failed(cause, "cannot finish", r->options->evidence);
		free(r->folder);
		r->folder = must_strdup(r->options->evidence);
	}
	give(r, r->outlet.part);
	return outlet_finish(&r->outlet, r->report->digest, cause);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
	(void)about;
	(void)kind;
	(void)at;
	return remove(path);
}

static void remove_traces(const struct restore *r)
{
	static const char *const endings[] = { "-wal", "-shm", "-journal" };

	if (r->folder)
		(void)nftw(r->folder, remove_one, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; r->outlet.part && i < sizeof endings / sizeof *endings; i++) {
		char *name = NULL;

		must(asprintf(&name, "%s%s", r->outlet.part, endings[i]) >= 0);
		(void)unlink(name);
		free(name);
	}
}

_Bool restore_run(const struct restore_options *o, struct backup_report *out, char **cause)
{
	struct restore r = { .options = o, .report = out, .outlet = { .fd = -1 }, .lock = -1 };
	_Bool done;

	*out = (struct backup_report){ 0 };
	done = take_place(&r, cause) && read_backup(&r, cause) && has_its_length(&r, cause) &&
	       proves_itself(&r, cause) && settle_evidence(&r, cause) && snapshot_describe(r.outlet.part, out, cause) &&
	       put_in_place(&r, cause);
	out->bytes = r.outlet.bytes;
	if (!done)
		remove_traces(&r);
	outlet_close(&r.outlet);
	free(r.folder);
	if (r.lock != -1)
		(void)close(r.lock);
	return done;
}
