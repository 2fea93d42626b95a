/* policy_folder: a small, sound jurisdiction in a temporary folder, of which a test changes one spot. */
#ifndef TESTS_POLICY_FOLDER_H
#define TESTS_POLICY_FOLDER_H

#include <stdint.h>

#include "base/digest.h"
#include "base/settings.h"
#include "jurisdiction/policy.h"

#define POLICY_FOLDER_SIZE 256

/* Makes the folder and writes the sound files. */
void policy_folder_make(char folder[POLICY_FOLDER_SIZE]);
/* Writes the sound file again with the first `from` in it turned into `to`; from NULL: to is the whole file. */
void policy_folder_change(const char *folder, const char *file, const char *from, const char *to);
void policy_folder_lose(const char *folder, const char *file);
void policy_folder_drop(const char *folder);
/* The policy of a small folder, with one file changed when file is given; the folder is gone again. Any problem fails the
 * test. */
struct policy *policy_folder_load(const char *file, const char *from, const char *to);
/* The time that this text names; fails the test when it names none. */
int64_t policy_folder_time(const char *text);

/* SHA-256 of a token, as people.csv has it. */
void policy_folder_digest(const char *token, char out[DIGEST_TEXT_SIZE]);

#endif
