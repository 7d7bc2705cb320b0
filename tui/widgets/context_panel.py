"""ContextPanel: the purpose of the focused setting, its consequence and its last change."""

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from store.text import sanitize
from tui.widgets.field import Field
from tui.widgets.help_line import HelpLine


class ContextPanel(HelpLine):
    """One help line in a small terminal; a box below the page or beside it in a larger one, as the style says."""

    about: reactive[str] = reactive("")
    """The effect of the focused setting. Paragraphs are separated by an empty line."""

    consequence: reactive[str] = reactive("")

    page: reactive[tuple[str, str]] = reactive(("", ""))
    """Title and purpose of the page, shown while no setting has the focus."""

    def render(self) -> RenderResult:
        if not self.styles.border_top[0]:
            return super().render()
        parts = [Content(part) for part in self.about.split("\n\n") if part] or [Content(self.text)]
        if self.consequence:
            parts.append(Content.styled(self.consequence, "$foreground-muted"))
        text = Content("\n\n").join(parts)
        is_too_high = (
            not self.styles.is_auto_height and len(text.wrap(self.content_size.width)) > self.content_size.height
        )
        return Content("\n").join(parts) if is_too_high else text

    def watch_page(self) -> None:
        self.read_again()

    def _focus_moved(self, focused: Widget | None) -> None:
        super()._focus_moved(focused)
        ancestors = focused.ancestors if focused is not None and self.screen.is_active else []
        field = next((node for node in ancestors if isinstance(node, Field)), None)
        title, about, consequence, last_change = (
            (field.title, field.about or field.help, field.consequence, field.last_change)
            if field is not None
            else (*self.page, "", "")
        )
        self.consequence = sanitize(consequence)
        self.border_subtitle = Content.styled(sanitize(last_change), "$foreground-muted")
        self.border_title = Content(sanitize(title))
        self.about = "\n\n".join(sanitize(part) for part in about.split("\n\n"))
        self.set_class(not about, "-empty")
        # Beside the page, the box is as high as its text.
        self.refresh(layout=self.styles.is_auto_height)
