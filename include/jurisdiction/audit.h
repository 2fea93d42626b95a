/* audit: what the loaders of a jurisdiction's files share: a row judged against the other files, and how its
 * mistakes are told. Only for jurisdiction/. */
#ifndef JURISDICTION_AUDIT_H
#define JURISDICTION_AUDIT_H

#include "jurisdiction/policy_parts.h"

#define ID_EXPECTED "an id of at most 64 letters, digits and - _ . / : @"
#define NAME_EXPECTED "a name of at most 200 bytes"
#define PLACE_EXPECTED "an area code of 12 digits, a grid code of 15, or "

/* One row under examination; every sound row is, once all files are read. */
struct audit {
	const struct policy *policy;
	struct problems *problems;
	const char *path;
	int line;
};

/* One file of the folder: its sheet, the table in struct policy that it fills, what is asked of each row afterwards. */
struct part {
	struct sheet sheet;
	size_t table; /* offset in struct policy */
	void (*check)(const struct audit *c, const void *row);
};

/* The files of each part of a jurisdiction that has a loader of its own; ends in a part without a file. */
extern const struct part posts_files[], contracts_files[], rights_files[];

void audit_wrong(const struct audit *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* A table of which rows are missing judges nobody: its own problems have been told. */
_Bool audit_is_known(const struct table *t, const void *row);
/* 0, or an area or grid of the map. */
_Bool audit_is_place(const struct policy *p, int64_t code);
/* Whether the person lacks the role. One without any role has a wrong cell, which was told. */
_Bool audit_lacks(const struct person *who, uint32_t role);
void audit_place(const struct audit *c, const char *what, int64_t code);
void audit_unit(const struct audit *c, const char *id); /* NULL: none, which is fine */
void audit_category(const struct audit *c, int32_t category);
/* Known, each once, none the lead. */
void audit_co_units(const struct audit *c, const struct co_units *co, const char *lead);
void audit_period(const struct audit *c, int64_t from_ms, int64_t to_ms);

/* Keys of rows. */
size_t audit_number_key(int64_t number, char out[SHEET_KEY_SIZE]);
size_t audit_text_key(const char *text, char out[SHEET_KEY_SIZE]); /* an id, checked for its length before */

/* "folder/file" for problems, on the heap. */
char *audit_path(const struct policy *p, const char *file);

#endif
