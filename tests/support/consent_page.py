"""The page “What you share”: its boxes and forms, as a browser shows and sends them."""

from html.parser import HTMLParser

from accounts.models import Consent, Material

PAGE = "/profile/consent/"
BOXES = {f"{material}.{purpose}" for material in Material for purpose in material.purposes}


class Form(HTMLParser):
    """The fields of the forms on a page that post to `action`, as a browser would show and send them."""

    def __init__(self, page, action):
        super().__init__()
        self.action, self.inside, self.found = action, 0, []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.inside = attributes.get("action") == self.action
            self.found += [[]] if self.inside else []
        elif self.inside and tag in {"input", "select", "textarea", "button"}:
            self.found[-1].append((tag, attributes))

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False

    def boxes(self):
        return {
            a["name"]: "checked" in a for form in self.found for _, a in form if a.get("type") == "checkbox"
        }

    def hidden(self, number=0):
        return {a["name"]: a["value"] for _, a in self.found[number] if a.get("type") == "hidden"}


def live(person):
    return {f"{each.material}.{each.purpose}" for each in Consent.objects.live().filter(contributor=person)}


def drawn(answer):
    return answer.content.decode()
