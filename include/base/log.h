/* log: one line an event on stderr, "<priority>name key=value ..." as journald reads it. No personal data goes here. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/must.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/* Lines above this level are left out. May be called before threads start; the default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level most);
/* One line; format makes "key=value key=value". errno is kept. Safe from any thread (one write(2) a line). */
void log_line(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);
/* As log_line at LOG_LEVEL_ERROR with error="strerror(errno)" added. */
void log_errno(const char *event, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
