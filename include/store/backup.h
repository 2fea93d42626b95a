/* backup and restore of a database and, if wanted, its evidence. A backup without evidence is the database itself, one
 * file that SQLite and `gridloop verify` read as it is. With evidence it is a tar: one file for one moment, which goes
 * through a pipe, is renamed in one step and is read by every tar; a folder could do none of these. In it the database
 * comes first (gridloop.db), then its digest as sha256sum writes it (gridloop.db.sha256), then the files of evidence under
 * their own digests (evidence/aa/bb/<hex>). */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include <stdint.h>

#include "base/digest.h"
#include "base/must.h"
#include "store/verify.h"

#define BACKUP_DATABASE "gridloop.db"
#define BACKUP_DIGEST BACKUP_DATABASE ".sha256"
#define BACKUP_EVIDENCE "evidence/"

struct backup_options {
	const char *database;
	const char *evidence;                                   /* its folder; NULL: without */
	const char *to;                                         /* file; NULL: into fd */
	int fd;                                                 /* a pipe, when to is NULL; stays the caller's */
	const char *scratch;                                    /* folder for the copy on its way into a pipe */
	int64_t bytes_a_second;                                 /* at most; 0: as fast as it goes */
	_Bool unproved;                                         /* leave out the verification of the copy */
	void (*progress)(void *ctx, int64_t done, int64_t all); /* bytes; may be NULL */
	void *ctx;
};

/* What is in a backup. */
struct backup_report {
	int64_t schema, received, open, archived, events;
	int64_t newest_event, newest_ms; /* 0: there is none */
	int64_t bytes;                   /* of the backup as it lies there */
	char digest[DIGEST_TEXT_SIZE];   /* SHA-256 of those */
	int64_t files, file_bytes;       /* evidence that is in it */
	int64_t files_named;             /* that the database has rows of */
	int64_t files_missing;           /* that belong to it and are not in it, or damaged */
	char first_missing[120];
	char heads[200];            /* of the chains, for verify_heads */
	struct verify_report proof; /* count 0: not made */
};

/* Makes a backup; an existing file at `to` is replaced only by a whole one. false with *cause (heap), and nothing is left
 * behind. */
_Bool backup_make(const struct backup_options *o, struct backup_report *out, char **cause) MUST_USE;

struct restore_options {
	int fd;               /* the backup */
	const char *name;     /* of it, for sentences */
	const char *to;       /* the database file to make; nothing may be there */
	const char *evidence; /* the folder to make for a backup that has evidence; may be there, if empty */
	void (*progress)(void *ctx, int64_t done, int64_t all); /* rows of the verification; may be NULL */
	void *ctx;
};

/* Reads a backup, proves it, and only then puts it into its place. Under the daemon's lock. Run by root, what it makes
 * belongs to the owner of the folder. false with *cause (heap), and nothing is left behind but
 * the lock's empty file. */
_Bool restore_run(const struct restore_options *o, struct backup_report *out, char **cause) MUST_USE;

#endif
