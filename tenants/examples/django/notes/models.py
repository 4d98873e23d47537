import hashlib
import os

from django.conf import settings
from django.db import models
from django.urls import reverse


class Note(models.Model):
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    title = models.CharField(max_length=100)
    body = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("notes:detail", args=[self.pk])


class Attachment(models.Model):
    note = models.ForeignKey(Note, models.CASCADE, related_name="attachments")
    file = models.FileField(upload_to="attachments")
    sha256 = models.CharField(max_length=64, editable=False)

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return self.name

    @property
    def name(self):
        return os.path.basename(self.file.name)

    def save(self, *args, **kwargs):
        digest = hashlib.sha256()
        for chunk in self.file.chunks():
            digest.update(chunk)
        self.sha256 = digest.hexdigest()
        super().save(*args, **kwargs)
