/* replay_prepare: a jurisdiction folder made for one 311 file. */
#ifndef CLI_REPLAY_PREPARE_H
#define CLI_REPLAY_PREPARE_H

#include "replay_file.h"

/* Who plays which part. The city reports as a gateway and handles as its own unit; the checker must be somebody else. */
#define REPLAY_CITY "city"
#define REPLAY_CHECKER "checker"
#define REPLAY_OPERATOR "operator"
#define REPLAY_COMMUNITY "900101001001"
#define REPLAY_FIRST_GRID REPLAY_COMMUNITY "001" /* what has no place is filed there, when the city closes it */
/* An identity's token is this and its id: the folder is for a daemon on loopback that plays one file. */
#define REPLAY_TOKEN "replay-"

/* Writes every file of the folder, which is made when it is not there. */
_Bool replay_prepare(const struct replay_file *f, const char *folder, struct trouble *why) MUST_USE;

/* Adds the positions that stand for "unknown" in this file (replay_points.h): what lies there is to be located. */
_Bool replay_prepare_points(const struct replay_file *f, const char *folder, struct trouble *why) MUST_USE;
/* Removes what replay_prepare wrote, and the folder if nothing else is in it. */
void replay_prepare_undo(const char *folder);

#endif
