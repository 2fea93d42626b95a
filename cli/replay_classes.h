/* replay_classes: what a foreign city's kind of request is, told from the words of its name, and the merge columns that
 * follow. By classes of things and not by one city's list, so that another city's file gets sensible columns too; what the
 * street then does with them is the ordinary rule (workflow/likeness.h). docs/merging.md says where the figures are from. */
#ifndef CLI_REPLAY_CLASSES_H
#define CLI_REPLAY_CLASSES_H

#include "base/must.h"

struct replay_class {
	const char *name, *matter;
	int merge_m;
	double merge_hours;
	int maybe_m, maybe_hours;
	_Bool kin; /* kinds of this class in one category of the city are one thing under several names */
	const char *const *words, *const *homes;
};

/* Never NULL. */
const struct replay_class *replay_class_of(const char *category, const char *subcategory);

#endif
