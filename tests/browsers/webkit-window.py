#!/usr/bin/python3
"""A WebKit browser of one window, for WebKitWebDriver: what it keeps lies in the folder of the last argument, downloads below it."""
import os
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gio, GLib, Gtk, WebKit2  # noqa: E402

# What Safari 26 has, and WebKitGTK only where it is turned on. Its sync access handles, by which earlier ones write, refuse to be made;
# tests/web/opfs.test.mjs takes createWritable from Chromium instead.
FEATURES = [
    "StorageAPI",
    "FileSystem",
    "FileSystemWritableStream",
    "AccessHandle",
    "StorageAPIEstimate",
    "OffscreenCanvas",
    "OffscreenCanvasInWorkers",
]

folder = sys.argv[-1]
data = WebKit2.WebsiteDataManager(base_data_directory=folder, base_cache_directory=os.path.join(folder, "cache"))
context = WebKit2.WebContext(website_data_manager=data)
context.set_automation_allowed(True)

settings = WebKit2.Settings(enable_developer_extras=False, enable_webgl=True)
known = WebKit2.Settings.get_all_features()
for i in range(known.get_length()):
    feature = known.get(i)
    if feature.get_identifier() in FEATURES:
        settings.set_feature_enabled(feature, True)


def on_download(_, download):
    def decide(download, name):
        download.set_destination(GLib.filename_to_uri(os.path.join(folder, "downloads", name), None))
        return True

    download.connect("decide-destination", decide)


def on_automation(_, session):
    def create(_):
        view = WebKit2.WebView(web_context=context, settings=settings, is_controlled_by_automation=True)
        window = Gtk.Window(default_width=1280, default_height=900)
        window.add(view)
        window.show_all()
        view.connect("close", lambda _: window.destroy())
        window.connect("destroy", lambda _: Gtk.main_quit())
        return view

    session.connect("create-web-view", create)


context.connect("download-started", on_download)
context.connect("automation-started", on_automation)
Gtk.main()
