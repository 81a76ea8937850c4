#define _GNU_SOURCE
#include "CEditLine.h"
#include "keys.h"
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

_Static_assert(sizeof(wchar_t) == sizeof(uint32_t), "a wchar_t is a Unicode scalar here");

struct CEditLine {
    EditLine *editline;
    HistoryW *history;
    FILE *nowhere;
    CELCalls calls;
};

bool cel_use_utf8_locale(void) {
    if (setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return true;
    return setlocale(LC_CTYPE, "C.UTF-8") != NULL;
}

int cel_width(uint32_t scalar) { return wcwidth((wchar_t)scalar); }

static CEditLine *owner(EditLine *editline) {
    void *data = NULL;
    el_get(editline, EL_CLIENTDATA, &data);
    return data;
}

static int next(EditLine *editline, wchar_t *character) {
    CELCalls calls = owner(editline)->calls;
    return calls.next(calls.context, (uint32_t *)character) == 1 ? 1 : -1;
}

unsigned char cel_run(EditLine *editline, CELCommand command) {
    static const wchar_t older[] = {CEL_KEY_OLDER, 0}, newer[] = {CEL_KEY_NEWER, 0};
    CELCalls calls = owner(editline)->calls;
    switch (calls.run(calls.context, command)) {
    case CEL_GO_ON:
        return CC_REFRESH;
    case CEL_SUBMIT:
        return CC_NEWLINE;
    case CEL_LEAVE:
        return CC_EOF;
    case CEL_OLDER:
        el_wpush(editline, older);
        return CC_NORM;
    case CEL_NEWER:
        el_wpush(editline, newer);
        return CC_NORM;
    }
    return CC_ERROR;
}

CEditLine *cel_make(const char *program, CELCalls calls, int history_limit) {
    CEditLine *editor = calloc(1, sizeof *editor);
    if (!editor)
        return NULL;
    editor->calls = calls;
    editor->nowhere = fopen("/dev/null", "we");
    editor->history = history_winit();
    // The streams are never read and lead nowhere; the descriptors are what libedit asks for modes and sizes.
    if (editor->nowhere && editor->history)
        editor->editline = el_init_fd(program, editor->nowhere, editor->nowhere, editor->nowhere, 0, 1, 2);
    if (!editor->editline) {
        cel_free(editor);
        return NULL;
    }
    HistEventW event;
    history_w(editor->history, &event, H_SETSIZE, history_limit);
    el_wset(editor->editline, EL_CLIENTDATA, editor);
    el_wset(editor->editline, EL_SIGNAL, 0);
    el_wset(editor->editline, EL_HIST, history_w, editor->history);
    el_wset(editor->editline, EL_GETCFN, next);
    cel_bind_defaults(editor->editline);
    el_source(editor->editline, NULL);
    cel_bind_essentials(editor->editline);
    return editor;
}

void cel_free(CEditLine *editor) {
    if (editor->editline)
        el_end(editor->editline);
    if (editor->history)
        history_wend(editor->history);
    if (editor->nowhere)
        fclose(editor->nowhere);
    free(editor);
}

bool cel_is_enabled(CEditLine *editor) {
    int enabled = 1;
    el_wget(editor->editline, EL_EDITMODE, &enabled);
    return enabled != 0;
}

bool cel_is_vi(CEditLine *editor) { return cel_uses_vi(editor->editline); }

uint32_t cel_private_key(CELCommand command) { return CEL_KEY_COMMAND + command; }

void cel_edit(CEditLine *editor) {
    int count = 0;
    el_wgets(editor->editline, &count);
}

const uint32_t *cel_text(CEditLine *editor, size_t *length, size_t *cursor) {
    const LineInfoW *line = el_wline(editor->editline);
    *length = (size_t)(line->lastchar - line->buffer);
    *cursor = (size_t)(line->cursor - line->buffer);
    return (const uint32_t *)line->buffer;
}

void cel_replace(CEditLine *editor, const uint32_t *scalars, size_t length, size_t cursor) {
    const LineInfoW *line = el_wline(editor->editline);
    int old = (int)(line->lastchar - line->buffer);
    el_cursor(editor->editline, old);
    el_deletestr(editor->editline, old);
    wchar_t *text = calloc(length + 1, sizeof *text);
    if (!text)
        return;
    memcpy(text, scalars, length * sizeof *text);
    el_winsertstr(editor->editline, text);
    el_cursor(editor->editline, (int)cursor - (int)length);
    free(text);
}

void cel_remember(CEditLine *editor, const uint32_t *scalars) {
    HistEventW event;
    history_w(editor->history, &event, H_ENTER, (const wchar_t *)scalars);
}

void cel_set_raw(CEditLine *editor, bool raw) { el_wset(editor->editline, EL_PREP_TERM, raw ? 1 : 0); }
