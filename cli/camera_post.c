#include "camera_post.h"

#include <stdio.h>
#include <string.h>

void post_name(struct camera_post *p, _Bool with_channel, const char *name)
{
	if (name[0] == '\0' || strlen(name) >= POST_NAME_SIZE || p->name_count == POST_NAMES_MOST)
		return;
	p->with_channel[p->name_count] = with_channel;
	snprintf(p->names[p->name_count++], POST_NAME_SIZE, "%s", name);
}

void post_label(struct camera_post *p, const char *label)
{
	if (label[0] == '\0' || strlen(label) >= POST_LABEL_SIZE || p->label_count == POST_LABELS_MOST)
		return;
	snprintf(p->labels[p->label_count++], POST_LABEL_SIZE, "%s", label);
}
