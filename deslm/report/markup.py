"""HTML without holes: text becomes markup only by passing through `tag`, which escapes it."""

import html


class Markup(str):
    """Text that is already safe HTML."""


def tag(name: str, *children: "str | Markup | None", **attributes: "str | int | None") -> Markup:
    """Return one element. Children and attribute values are escaped unless they are `Markup`; None is left out.

    A trailing underscore in an attribute's name is dropped and inner ones become hyphens: class_, aria_label.

    >>> tag("td", "a < b", class_="number")
    '<td class="number">a &lt; b</td>'
    """
    inside = "".join(
        child if isinstance(child, Markup) else html.escape(child) for child in children if child is not None
    )
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{inside}</{name}>")


def join(parts: "list[Markup]") -> Markup:
    """Return the elements one after another."""
    return Markup("".join(parts))
