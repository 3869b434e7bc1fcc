#include "html.h"

#include <string.h>

void cop_html_text(cop_buf *out, const char *text) {
    for (const char *c = text; *c;) {
        size_t length = cop_utf8_length(c);
        if (length == 0 || ((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f) {
            cop_buf_add(out, "\xef\xbf\xbd", 3);
            c++;
            continue;
        }
        switch (*c) {
        case '&':
            cop_buf_add(out, "&amp;", 5);
            break;
        case '<':
            cop_buf_add(out, "&lt;", 4);
            break;
        case '>':
            cop_buf_add(out, "&gt;", 4);
            break;
        case '"':
            cop_buf_add(out, "&quot;", 6);
            break;
        case '\'':
            cop_buf_add(out, "&#39;", 5);
            break;
        default:
            cop_buf_add(out, c, length);
        }
        c += length;
    }
}

void cop_html_format(cop_buf *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = cop_vsprintf(format, arguments);
    va_end(arguments);
    cop_html_text(out, text);
    cop_free(text);
}

void cop_html_row(cop_buf *out, const char *tag, const char *const *cells, size_t count) {
    cop_buf_printf(out, "<tr>");
    for (size_t i = 0; i < count; i++) {
        cop_buf_printf(out, "<%s>", tag);
        cop_html_text(out, cells[i]);
        cop_buf_printf(out, "</%s>", tag);
    }
    cop_buf_printf(out, "</tr>\n");
}

/* The policy forbids whatever is not in the page itself, should a text ever slip through as markup.
 */
void cop_html_begin(cop_buf *out, const char *title) {
    static const char head[] =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
    static const char style[] =
        "</title>\n<style>\n"
        ":root{color-scheme:light}\n"
        "body{margin:0 auto;padding:2rem 1.5rem 4rem;max-width:66rem;background:#fff;color:#1c2430;"
        "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}\n"
        "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}\n"
        "h2{font-size:1.2rem;margin:2.6rem 0 .6rem;padding-top:.8rem;border-top:1px solid "
        "#dde2e8}\n"
        "p{max-width:46rem;margin:.4rem 0 .9rem}\n.lead{color:#54606e}\n"
        "table{border-collapse:collapse;margin:.6rem 0 1rem;font-variant-numeric:tabular-nums}\n"
        "th,td{padding:.3rem .8rem .3rem 0;white-space:nowrap;text-align:right;border-bottom:1px "
        "solid #e8ecf0;"
        "vertical-align:top}\nth{font-weight:600;color:#54606e;font-size:.86rem}\n"
        "th:first-child,td:first-child{text-align:left}\n"
        ".wide{overflow-x:auto}\n.words "
        "td{text-align:left;white-space:normal;overflow-wrap:anywhere}\n"
        ".charts{display:grid;gap:1.4rem 2.2rem;"
        "grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr))}\n"
        "figure{margin:0}\n"
        "svg{width:100%;height:auto;display:block;font:12px "
        "system-ui,sans-serif}\n"
        "figcaption{font-weight:600;font-size:.95rem;margin-bottom:.2rem}\n"
        ".key{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.85rem;color:#3a4552}\n"
        ".key i{display:inline-block;width:1.4rem;height:0;border-top:3px solid;margin-right:.4rem;"
        "vertical-align:middle}\n.key i.dash{border-top-style:dashed;border-top-width:2px}\n"
        "details{margin:.5rem 0}\nsummary{cursor:pointer;color:#1f5fa8}\n"
        "pre{background:#f6f8fa;padding:.8rem "
        "1rem;overflow-x:auto;font-size:.85rem;line-height:1.4}\n"
        "code{font-size:.9em;overflow-wrap:anywhere}\n"
        "@media print{details{display:block}h2{break-after:avoid}figure{break-inside:avoid}}\n"
        "</style>\n</head>\n<body>\n";
    cop_buf_add(out, head, strlen(head));
    cop_html_text(out, title);
    cop_buf_add(out, style, strlen(style));
}

void cop_html_end(cop_buf *out) {
    cop_buf_printf(out, "</body>\n</html>\n");
}
