/* alarm: judges a camera's post. Only for workflow/. */
#ifndef WORKFLOW_ALARM_H
#define WORKFLOW_ALARM_H

#include "workflow/decision.h"

/* As the judge of any command: facts, or a refusal. */
_Bool alarm_judge(struct decision *d);
/* Whether there is room for one case more; a refusal otherwise. In discover.c. */
_Bool discover_room(struct decision *d);

#endif
