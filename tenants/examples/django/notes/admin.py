from django.contrib import admin

from notes.models import Attachment, Note


class AttachmentInline(admin.TabularInline):
    model = Attachment
    extra = 0


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "created"]
    list_filter = ["author"]
    search_fields = ["title", "body"]
    inlines = [AttachmentInline]
