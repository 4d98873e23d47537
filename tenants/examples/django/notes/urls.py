from django.urls import path

from notes import streams, views

app_name = "notes"
urlpatterns = [
    path("", views.NoteList.as_view(), name="list"),
    path("notes/new/", views.NoteCreate.as_view(), name="create"),
    path("notes/<int:pk>/", views.NoteDetail.as_view(), name="detail"),
    path("notes/<int:pk>/edit/", views.NoteUpdate.as_view(), name="edit"),
    path("notes/<int:pk>/delete/", views.NoteDelete.as_view(), name="delete"),
    path("notes/<int:pk>/attach/", views.AttachmentCreate.as_view(), name="attach"),
    path("attachments/<int:pk>/", views.download, name="download"),
    path("export.csv", streams.export, name="export"),
    path("stream/", streams.lines, name="stream"),
    path("fail/", views.fail, name="fail"),
]
