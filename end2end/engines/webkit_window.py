"""A WebKitGTK window of any width for WebKitWebDriver; MiniBrowser's toolbar keeps it wider than a phone.

Arguments: width, height, the file for what the pages report, the languages.
"""

import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2

# The driver does not tell what a page logs.
LISTEN = """
const report = (text) => window.webkit.messageHandlers.report.postMessage(`${location.pathname}: ${text}`);
for (const level of ['error', 'warn']) {
    const say = console[level];
    console[level] = (...parts) => {
        report(parts.join(' '));
        say.apply(console, parts);
    };
}
addEventListener('error', ({ message }) => report(`uncaught: ${message}`));
addEventListener('securitypolicyviolation', ({ blockedURI }) => report(`Content Security Policy: ${blockedURI}`));
"""

width, height, reports, *languages = sys.argv[1:]
file = open(reports, "a", buffering=1, encoding="utf-8")

context = WebKit2.WebContext.new_ephemeral()
context.set_preferred_languages(languages)
context.set_automation_allowed(True)

content = WebKit2.UserContentManager()
content.register_script_message_handler("report")
content.connect("script-message-received::report", lambda _, text: file.write(text.get_js_value().to_string() + "\n"))
everywhere = WebKit2.UserContentInjectedFrames.ALL_FRAMES
first = WebKit2.UserScriptInjectionTime.START
content.add_script(WebKit2.UserScript.new(LISTEN, everywhere, first, None, None))


def create_view(_session):
    view = WebKit2.WebView(web_context=context, user_content_manager=content, is_controlled_by_automation=True)
    view.get_settings().set_hardware_acceleration_policy(WebKit2.HardwareAccelerationPolicy.NEVER)
    window = Gtk.Window(decorated=False)
    window.set_default_size(int(width), int(height))
    window.connect("destroy", lambda _: Gtk.main_quit())
    window.add(view)
    window.show_all()
    view.grab_focus()
    return view


def started(_context, session):
    information = WebKit2.ApplicationInfo()
    information.set_name("Caravana's tests")
    information.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
    session.set_application_info(information)
    session.connect("create-web-view", create_view)


context.connect("automation-started", started)
Gtk.main()
