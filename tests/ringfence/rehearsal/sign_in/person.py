"""A person at a browser, without the browser: follows addresses, keeps cookies, fills the form."""

from __future__ import annotations

import threading
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx2

from tests.waiting import LAST_RESORT_SECONDS, wait_until


class Form(HTMLParser):
    """The only form of a page: where it goes, and what its fields hold by themselves."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action, self.fields = "", {}
        self.text = ""
        self.links: dict[str, str] = {}
        self._link = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.action = found["action"]
        if tag == "input" and (found["type"] != "radio" or "checked" in found):
            self.fields[found["name"]] = found["value"]
        self._link = found.get("href", "") if tag == "a" else self._link

    def handle_endtag(self, tag: str) -> None:
        self._link = "" if tag == "a" else self._link

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._link:
            self.links[data.strip()] = self._link


class Person:
    """Somebody with a browser of their own."""

    def __init__(self) -> None:
        self.http = httpx2.Client(trust_env=False, timeout=LAST_RESORT_SECONDS)

    def opens(self, url: str) -> httpx2.Response:
        """Open an address; a redirect to the host's callback is returned and not followed."""
        answer = self.http.get(url)
        while answer.has_redirect_location and urlsplit(url).netloc == urlsplit(self._next(answer)).netloc:
            answer = self.http.get(self._next(answer))
        return answer

    def signs_in(self, url: str, *, who: str = "aud.example-01", **choices: str) -> str:
        """Sign in at the page of a host's request.

        Returns:
            The address that the browser is sent to: the host's callback with a code.
        """
        answer = self.submits(self.opens(url), person=who, **choices)
        assert answer.status_code == 303, Form(answer.text).text
        return answer.headers["location"]

    def submits(self, page: httpx2.Response, **choices: str) -> httpx2.Response:
        """Send the form of a page."""
        form = Form(page.text)
        assert form.action, form.text
        origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
        return self.http.post(
            urljoin(str(page.url), form.action), data={**form.fields, **choices}, headers={"Origin": origin}
        )

    def signs_in_and_returns(self, url: str, **choices: str) -> None:
        """Sign in, and be sent back to a host that listens."""
        back = self.signs_in(url, **choices)
        answers: list[httpx2.Response] = []

        def arrives() -> bool:
            # Some hosts open the browser first, and listen then: where a person is slow, a test is not.
            try:
                answers.append(self.http.get(back, follow_redirects=True))
            except httpx2.ConnectError:
                return False
            return True

        wait_until(arrives)
        assert answers[0].status_code == 200, answers[0].text

    def soon(self, url: str, **choices: str) -> threading.Thread:
        """The same on a thread: what a host does that opens a browser and waits."""
        thread = threading.Thread(target=self.signs_in_and_returns, args=(url,), kwargs=choices, daemon=True)
        thread.start()
        return thread

    @staticmethod
    def _next(answer: httpx2.Response) -> str:
        return urljoin(str(answer.url), answer.headers["location"])
