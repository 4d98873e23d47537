from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse_lazy
from django.views.generic import CreateView, DeleteView, DetailView
from django.views.generic import ListView, UpdateView

from notes.forms import AttachmentForm, NoteForm
from notes.models import Attachment, Note


class NoteList(ListView):
    queryset = Note.objects.select_related("author")


class NoteDetail(DetailView):
    queryset = Note.objects.select_related("author")

    def get_context_data(self, **kwargs):
        return super().get_context_data(upload_form=AttachmentForm(), **kwargs)


class NoteCreate(LoginRequiredMixin, CreateView):
    model = Note
    form_class = NoteForm

    def form_valid(self, form):
        form.instance.author = self.request.user
        messages.success(self.request, "Note saved.")
        return super().form_valid(form)


class OwnNotes(LoginRequiredMixin):
    """Other people's notes are not found rather than forbidden."""

    def get_queryset(self):
        return Note.objects.filter(author=self.request.user)


class NoteUpdate(OwnNotes, UpdateView):
    form_class = NoteForm


class NoteDelete(OwnNotes, DeleteView):
    success_url = reverse_lazy("notes:list")


class AttachmentCreate(OwnNotes, CreateView):
    form_class = AttachmentForm
    template_name = "notes/attachment_form.html"

    def get_form(self, form_class=None):
        form = super().get_form(form_class)
        form.instance.note = get_object_or_404(self.get_queryset(), **self.kwargs)
        return form

    def form_valid(self, form):
        messages.success(self.request, "File attached.")
        return super().form_valid(form)

    def get_success_url(self):
        return self.object.note.get_absolute_url()


def download(request, pk):
    attachment = get_object_or_404(Attachment, pk=pk)
    return FileResponse(attachment.file.open(), as_attachment=True)


def fail(request):
    raise RuntimeError("deliberate failure")
