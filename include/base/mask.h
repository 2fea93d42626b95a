/* mask: personal data made unreadable for who need not read it (脱敏). Who need not
 * is decided elsewhere (intake/reveal.h). UTF-8 in, UTF-8 out; the result is never longer in bytes than MASK_ROOM of the input.
 *
 * Forms as in use with Chinese offices: phone 138****1234, name 张* or 欧阳**, of an ID number the first three and the last
 * two. A number in a text is masked when it is written like a phone number (mobile with or without +86, with blanks or
 * hyphens between; landline with its area code) or has seven digits and more in one run, full-width digits too. Numbers
 * spelt out in Chinese and number plates are not: a plate is mostly the very thing that is complained about. */
#ifndef BASE_MASK_H
#define BASE_MASK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes, with the terminator, that a masked text of this length can need: only names and accounts grow, by "***". */
#define MASK_ROOM(length) ((length) + 8)
#define MASK_PSEUDONYM_SIZE 16

/* Each fills and returns out, which has MASK_ROOM(strlen(text)); NULL gives NULL. */
const char *mask_phone(const char *text, char *out);
const char *mask_name(const char *text, char *out);
const char *mask_text(const char *text, char *out); /* numbers and mail addresses within it */
/* An account for a board: "meituan/rider-7" gives "meituan/r***", "resident-01" gives "r***". */
const char *mask_account(const char *account, char *out);
/* Overwrites each place of the text where this word stands; words of one byte are left. */
void mask_word(char *text, const char *word);
/* Who reported this case, for whom must not know: "reporter-3f2a". Made of the case's id alone, so it says nothing of the
 * person, and two cases of one person do not give each other away. */
const char *mask_pseudonym(int64_t case_id, char out[MASK_PSEUDONYM_SIZE]);

#endif
