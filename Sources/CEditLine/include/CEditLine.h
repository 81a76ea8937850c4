// libedit as the line editor uses it: keys, keymaps, ~/.editrc, vi mode and history search are libedit's; what is
// drawn is the editor's own (libedit's output goes to /dev/null). Text crosses as Unicode scalars, never as wchar_t.
#ifndef CEDITLINE_H
#define CEDITLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CEditLine CEditLine;

/// The editor's own commands. A command's name in ~/.editrc is "meta-" and the name here, as in `bind ^T meta-yank`.
typedef enum {
    CEL_ENTER,
    CEL_NEWLINE,
    CEL_UP,
    CEL_DOWN,
    CEL_LEFT,
    CEL_RIGHT,
    CEL_LINE_START,
    CEL_LINE_END,
    CEL_BACKSPACE,
    CEL_DELETE,
    CEL_DELETE_OR_END,
    CEL_KILL_LINE,
    CEL_KILL_LINE_BACK,
    CEL_KILL_WORD,
    CEL_KILL_WORD_BACK,
    CEL_YANK,
    CEL_COMPLETE,
    CEL_PASTE,
    CEL_CLEAR,
    CEL_COMMAND_COUNT
} CELCommand;

/// What a command asks of libedit when it returns.
typedef enum { CEL_GO_ON, CEL_SUBMIT, CEL_LEAVE, CEL_OLDER, CEL_NEWER } CELVerdict;

typedef struct {
    void *context;
    /// Stores the next scalar typed, no C1 control but those of cel_private_key.
    /// 1: stored; 0 or less: stop reading this text.
    int (*next)(void *context, uint32_t *scalar);
    CELVerdict (*run)(void *context, CELCommand command);
} CELCalls;

/// Takes the character locale from the environment; C.UTF-8 when that is not UTF-8. False when neither exists.
bool cel_use_utf8_locale(void);
/// Columns a scalar takes on the screen: 0, 1 or 2; -1 when it has no glyph.
int cel_width(uint32_t scalar);

/// An editor over descriptors 0 and 1 (both terminals), with ~/.editrc read. NULL when libedit refuses.
/// The calls' context must outlive it.
CEditLine *cel_make(const char *program, CELCalls calls, int history_limit);
void cel_free(CEditLine *);
/// False when ~/.editrc says `edit off`.
bool cel_is_enabled(CEditLine *);

/// Whether ~/.editrc chose vi mode.
bool cel_is_vi(CEditLine *);
/// The key, a C1 control, that runs a command in every mode.
uint32_t cel_private_key(CELCommand);

/// Edits one text from empty, the terminal raw meanwhile; returns when a command or the `next` call ended it.
void cel_edit(CEditLine *);
/// The text being edited (borrowed until the next call), its length and the cursor, in scalars.
const uint32_t *cel_text(CEditLine *, size_t *length, size_t *cursor);
/// Replaces the text being edited. No NUL among the scalars.
void cel_replace(CEditLine *, const uint32_t *scalars, size_t length, size_t cursor);
/// Adds an entry to the history that the keys walk through. `scalars` ends with 0.
void cel_remember(CEditLine *, const uint32_t *scalars);
/// Raw (true) or cooked terminal, in the middle of cel_edit.
void cel_set_raw(CEditLine *, bool raw);

/// A pipe whose ends neither block nor outlive exec.
bool cel_pipe(int ends[2]);
/// From here to cel_signals_end: SIGWINCH, SIGTSTP and SIGCONT write 'W', 'Z', 'C' to `descriptor`;
/// SIGTERM, SIGHUP and SIGQUIT restore the terminal as it is now, then do what they did before.
/// False when descriptor 0 is no terminal.
bool cel_signals_begin(int descriptor);
/// Restores the terminal and the signals' earlier actions.
void cel_signals_end(void);
/// Stops this process as Ctrl-Z does, and returns when it is continued.
void cel_stop(void);

#endif
