#include "keys.h"
#include <wchar.h>

// libedit hands a command no more than the key, so each command needs a function of its own.
#define COMMAND(function, command)                                                                                     \
    static unsigned char function(EditLine *editline, wint_t key) {                                                    \
        (void)key;                                                                                                     \
        return cel_run(editline, command);                                                                             \
    }
COMMAND(enter, CEL_ENTER)
COMMAND(newline, CEL_NEWLINE)
COMMAND(up, CEL_UP)
COMMAND(down, CEL_DOWN)
COMMAND(left, CEL_LEFT)
COMMAND(right, CEL_RIGHT)
COMMAND(line_start, CEL_LINE_START)
COMMAND(line_end, CEL_LINE_END)
COMMAND(backspace, CEL_BACKSPACE)
COMMAND(delete, CEL_DELETE)
COMMAND(delete_or_end, CEL_DELETE_OR_END)
COMMAND(kill_line, CEL_KILL_LINE)
COMMAND(kill_line_back, CEL_KILL_LINE_BACK)
COMMAND(kill_word, CEL_KILL_WORD)
COMMAND(kill_word_back, CEL_KILL_WORD_BACK)
COMMAND(yank, CEL_YANK)
COMMAND(complete, CEL_COMPLETE)
COMMAND(paste, CEL_PASTE)
COMMAND(clear, CEL_CLEAR)

// libedit keeps the name's pointer: these must be static.
static const struct {
    const wchar_t *name, *description;
    unsigned char (*function)(EditLine *, wint_t);
} commands[] = {
    {L"meta-enter", L"Submit a complete text, or break the line", enter},
    {L"meta-newline", L"Break the line", newline},
    {L"meta-up", L"Up a line, or to the older entry", up},
    {L"meta-down", L"Down a line, or to the newer entry", down},
    {L"meta-left", L"Left a character", left},
    {L"meta-right", L"Right a character", right},
    {L"meta-line-start", L"To the line's start", line_start},
    {L"meta-line-end", L"To the line's end", line_end},
    {L"meta-backspace", L"Delete the character before the cursor", backspace},
    {L"meta-delete", L"Delete the character under the cursor", delete},
    {L"meta-delete-or-end", L"Delete the character under the cursor, or end on an empty text", delete_or_end},
    {L"meta-kill-line", L"Cut to the line's end", kill_line},
    {L"meta-kill-line-back", L"Cut to the line's start", kill_line_back},
    {L"meta-kill-word", L"Cut to the word's end", kill_word},
    {L"meta-kill-word-back", L"Cut to the word's start", kill_word_back},
    {L"meta-yank", L"Insert what was cut", yank},
    {L"meta-complete", L"Complete the word", complete},
    {L"meta-paste", L"Insert what the terminal pastes", paste},
    {L"meta-clear", L"Clear the screen", clear},
};
_Static_assert(sizeof commands / sizeof *commands == CEL_COMMAND_COUNT, "each command has a name");

typedef struct {
    const wchar_t *key, *command;
} Binding;

// Keys of emacs mode.
static const Binding emacs[] = {
    {L"\001", L"meta-line-start"},
    {L"\002", L"meta-left"},
    {L"\004", L"meta-delete-or-end"},
    {L"\005", L"meta-line-end"},
    {L"\006", L"meta-right"},
    {L"\013", L"meta-kill-line"},
    {L"\016", L"meta-down"},
    {L"\020", L"meta-up"},
    {L"\022", L"em-inc-search-prev"},
    {L"\025", L"meta-kill-line-back"},
    {L"\027", L"meta-kill-word-back"},
    {L"\031", L"meta-yank"},
    {L"\033b", L"ed-prev-word"},
    {L"\033f", L"em-next-word"},
    {L"\033d", L"meta-kill-word"},
    {L"\033\177", L"meta-kill-word-back"},
    {L"\033\010", L"meta-kill-word-back"},
};

// Keys of vi mode while inserting. Choosing vi empties the maps, so these come after ~/.editrc.
static const Binding vi[] = {
    {L"\004", L"meta-delete-or-end"}, {L"\010", L"meta-backspace"},     {L"\011", L"meta-complete"},
    {L"\014", L"meta-clear"},         {L"\022", L"em-inc-search-prev"}, {L"\177", L"meta-backspace"},
};

// More keys of emacs mode: those of a terminal's keyboard.
static const Binding keyboard[] = {
    {L"\010", L"meta-backspace"},
    {L"\011", L"meta-complete"},
    {L"\014", L"meta-clear"},
    {L"\177", L"meta-backspace"},
    {L"\033\r", L"meta-newline"},
    {L"\033\n", L"meta-newline"},
    {L"\033[A", L"meta-up"},
    {L"\033OA", L"meta-up"},
    {L"\033[B", L"meta-down"},
    {L"\033OB", L"meta-down"},
    {L"\033[C", L"meta-right"},
    {L"\033OC", L"meta-right"},
    {L"\033[D", L"meta-left"},
    {L"\033OD", L"meta-left"},
    {L"\033[H", L"meta-line-start"},
    {L"\033OH", L"meta-line-start"},
    {L"\033[1~", L"meta-line-start"},
    {L"\033[7~", L"meta-line-start"},
    {L"\033[F", L"meta-line-end"},
    {L"\033OF", L"meta-line-end"},
    {L"\033[4~", L"meta-line-end"},
    {L"\033[8~", L"meta-line-end"},
    {L"\033[3~", L"meta-delete"},
    {L"\033[1;3C", L"em-next-word"},
    {L"\033[1;5C", L"em-next-word"},
    {L"\033[1;3D", L"ed-prev-word"},
    {L"\033[1;5D", L"ed-prev-word"},
};

static const wchar_t older[] = {CEL_KEY_OLDER, 0}, newer[] = {CEL_KEY_NEWER, 0};
static const Binding essential[] = {
    {L"\r", L"meta-enter"},         {L"\n", L"meta-enter"},         {L"\033[200~", L"meta-paste"},
    {older, L"ed-prev-history"}, {newer, L"ed-next-history"},
};

#define BIND(editline, bindings) bind(editline, bindings, sizeof bindings / sizeof *bindings)
static void bind(EditLine *editline, const Binding *bindings, size_t count) {
    for (size_t i = 0; i < count; i++)
        el_wset(editline, EL_BIND, bindings[i].key, bindings[i].command, NULL);
}

void cel_bind_defaults(EditLine *editline) {
    for (size_t i = 0; i < CEL_COMMAND_COUNT; i++)
        el_wset(editline, EL_ADDFN, commands[i].name, commands[i].description, commands[i].function);
    el_wset(editline, EL_EDITOR, L"emacs");
    BIND(editline, emacs);
    BIND(editline, keyboard);
}

void cel_bind_essentials(EditLine *editline) {
    // In vi mode ESC is a key, and binding a sequence would take that from it.
    bool isVi = cel_uses_vi(editline);
    if (isVi) {
        BIND(editline, vi);
        el_wset(editline, EL_BIND, L"-a", L"k", L"meta-up", NULL);
        el_wset(editline, EL_BIND, L"-a", L"j", L"meta-down", NULL);
    }
    for (size_t i = 0; i < sizeof essential / sizeof *essential; i++)
        if (!isVi || essential[i].key[0] != L'\033')
            el_wset(editline, EL_BIND, essential[i].key, essential[i].command, NULL);
    for (wchar_t i = 0; i < CEL_COMMAND_COUNT; i++) {
        const wchar_t key[] = {CEL_KEY_COMMAND + i, 0};
        el_wset(editline, EL_BIND, key, commands[i].name, NULL);
        el_wset(editline, EL_BIND, L"-a", key, commands[i].name, NULL);
    }
    for (size_t i = 0; i < sizeof essential / sizeof *essential; i++)
        if (!isVi || essential[i].key[0] != L'\033')
            el_wset(editline, EL_BIND, L"-a", essential[i].key, essential[i].command, NULL);
}

bool cel_uses_vi(EditLine *editline) {
    const wchar_t *mode = NULL;
    return el_wget(editline, EL_EDITOR, &mode) == 0 && mode && wcscmp(mode, L"vi") == 0;
}
