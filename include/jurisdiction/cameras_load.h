/* cameras_load: how the registry of cameras comes to be. For the loader only; everybody else asks cameras.h. */
#ifndef JURISDICTION_CAMERAS_LOAD_H
#define JURISDICTION_CAMERAS_LOAD_H

#include "jurisdiction/lookup.h"
#include "jurisdiction/sheet.h"

struct policy;

/* A zeroed registry is empty. */
struct cameras {
	struct table list, labels;
	struct lookup devices; /* gateway and device → camera */
	struct lookup named;   /* what camera_labels.csv names in its first column, "*" included */
};

/* Reads both files into policy->cameras, and then, once all files of the folder are read, checks what they refer to. */
void cameras_read(struct policy *policy, const char *folder, struct problems *p);
void cameras_check(const struct policy *policy, const char *folder, struct problems *p);
/* Whether every camera stands in its grid, or in some grid when it names none. Needs the map, so it comes last. */
void cameras_check_places(const struct policy *policy, const char *folder, struct problems *p);
void cameras_close(struct cameras *c); /* safe twice */

#endif
